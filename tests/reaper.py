"""Ends what a run of tests has started and removes its files, once the run has ended, however that was: SIGKILL too.

`python -m tests.reaper FOLDER FD`: waits until nobody holds the other end of the pipe FD any more, which the run
does as long as it lives. Everything that a run starts names the run's folder in its arguments or its environment.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fleet.errors import SandboxError
from fleet.sandbox import control, state
from fleet.sandbox.strays import MARK
from tests.command import processes_of

_SECONDS = 20
_AT_ONCE = 8


def main() -> None:
    folder, fd = Path(sys.argv[1]), int(sys.argv[2])
    os.read(fd, 1)
    end_all(folder)
    shutil.rmtree(folder, ignore_errors=True)  # a file that a dying process still writes may stay


def end_all(folder: Path) -> None:
    """End all processes of a run: what would start others first, then the sandboxes as their own `stop` does."""
    until = time.monotonic() + _SECONDS
    for entry in _others(folder):
        if not _of_sandbox(entry):
            _kill(entry)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        pool.map(_stop, _sandboxes(folder))
    while (left := list(_others(folder))) and time.monotonic() < until:
        for entry in left:
            _kill(entry)
        time.sleep(0.2)


def _stop(directory: Path) -> None:
    try:
        control.stop(directory)
    except SandboxError as error:
        print(error, file=sys.stderr)  # what is left of it is killed afterwards


def _others(folder: Path) -> Iterator[Path]:
    return (entry for entry in processes_of(folder) if entry.name != str(os.getpid()))


def _of_sandbox(entry: Path) -> bool:
    """Whether a process is a sandbox's daemon, or of its hosts."""
    try:
        return (
            b"fleet.sandbox." in (entry / "cmdline").read_bytes()
            or f"{MARK}=".encode() in (entry / "environ").read_bytes()
        )
    except OSError:
        return False  # it has ended


def _sandboxes(folder: Path) -> Iterator[Path]:
    """The folders of the sandboxes whose daemons run."""
    for entry in _others(folder):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"fleet.sandbox.daemon" in words:
            directory = Path(words[words.index(b"fleet.sandbox.daemon") + 1].decode())
            if state.read(directory) is not None:
                yield directory


def _kill(entry: Path) -> None:
    try:
        os.kill(int(entry.name), signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
