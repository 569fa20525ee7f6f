"""Real terminals with real shells, as sshd, tmux and Jupyter make them."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terminals import Terminal, terminals

from .places import end_session, soon


@dataclass
class Pty:
    """A terminal from the side of whoever sits at it."""

    pid: int
    descriptor: int
    shown: str = ""

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def wait_for(self, text: str) -> None:
        """Read what is shown until there is this in it."""

        def look() -> bool:
            while select.select([self.descriptor], [], [], 0)[0]:
                self.shown += os.read(self.descriptor, 65536).decode("utf-8", "replace")
            return text in self.shown

        try:
            soon(look)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.shown!r}") from None


@contextmanager
def open_pty(home: Path, *command: str) -> Iterator[Pty]:
    """A terminal of a person; a shell at its prompt unless told otherwise."""
    words = command or ("bash", "--norc", "--noprofile", "-i")
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PS1": "ready> ", "TERM": "xterm"}
    pid, descriptor = pty.fork()
    if pid == 0:
        with contextlib.suppress(OSError):
            os.execvpe(words[0], words, environment)
        os._exit(127)
    opened = Pty(pid, descriptor)
    try:
        if not command:
            opened.wait_for("ready> ")
        yield opened
    finally:
        os.close(descriptor)  # hangs up
        end_session(pid)  # a job in the background too, which hears of no hang-up
        os.waitpid(pid, 0)


def only(home: Path) -> Terminal:
    """The person's one terminal."""
    (found,) = terminals(home)
    return found


def soon_runs(home: Path, name: str | None) -> None:
    """Wait until this runs in the foreground of the person's one terminal; None: nothing does."""
    soon(lambda: [each.job() for each in terminals(home)] == [name])


def settle(home: Path) -> None:
    """Let the 8 s pass in which the kernel notes no later access."""
    device = only(home).leader.device()
    soon(lambda: time.time() - device.stat().st_atime > 9)
