"""What a running sandbox writes down about itself, and who may change its folder at a time.

The state file names the daemon by pid and start time, so that a pid used anew is never taken for
it. It holds the secret of the control requests, hence its mode 0600.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from fleet.errors import SandboxError
from fleet.sandbox.hosts import linux

_FILE = "state.json"


@dataclass(frozen=True)
class State:
    """A daemon. `born` is its start time in clock ticks since the machine's boot.

    `driver` is "process" or "container", `network` holds the addresses of its hosts.
    """

    pid: int
    born: int
    port: int
    secret: str
    region: str
    ssh_port: int
    started_at: str
    boot_seconds: float
    driver: str = "process"
    network: str = "127.0.0.0/8"

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        found = linux.process(self.pid)
        return found is not None and found.state != "Z" and found.born == self.born


def write(directory: Path, state: State) -> None:
    """Put the state file in place, whole or not at all."""
    draft = directory / f"{_FILE}.new"
    with contextlib.suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(state), file)
    draft.replace(directory / _FILE)


def read(directory: Path) -> State | None:
    """The state file, or None where there is none or it is from another version."""
    try:
        return State(**json.loads((directory / _FILE).read_text()))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def remove(directory: Path) -> None:
    """Forget the daemon."""
    (directory / _FILE).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(directory: Path, *, seconds: float) -> Iterator[None]:
    """Hold the sandbox's lock. Raises SandboxError when another process keeps it that long."""
    deadline = time.monotonic() + seconds
    path = directory / "lock"
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if _lock(fd) and _same_file(fd, path):
                yield
                return
        finally:
            os.close(fd)
        if time.monotonic() > deadline:
            raise SandboxError(
                f"another process has been starting or stopping the sandbox for {seconds:.0f} s",
                remedy=f"wait for it, or end the process that holds {path}",
            )
        time.sleep(0.05)


def _lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same_file(fd: int, path: Path) -> bool:
    """Whether the lock is on the file that others will open: `stop` removes it while it holds
    it."""
    try:
        return os.path.samestat(os.fstat(fd), path.stat())
    except FileNotFoundError:
        return False
