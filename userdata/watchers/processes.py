"""Reads processes from /proc, as much as it takes to know a person's terminals."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
_PTS_MAJORS = range(136, 144)  # Linux, Documentation/admin-guide/devices.txt


class Process(NamedTuple):
    """One process. `terminal` is a device number, 0 for none, and `foreground` the group that has it."""

    pid: int
    name: str
    group: int
    session: int
    terminal: int
    foreground: int

    def arguments(self) -> list[str]:
        """Its command line; raises OSError where it has ended."""
        return _strings(self.pid, "cmdline")

    def home(self) -> str | None:
        """HOME as it was when the program started; raises OSError where it has ended."""
        found = (entry[5:] for entry in _strings(self.pid, "environ") if entry.startswith("HOME="))
        return next(found, None)

    def device(self) -> Path:
        """Where its terminal is: /dev/pts/N, or a console's."""
        major, minor = os.major(self.terminal), os.minor(self.terminal)
        if major in _PTS_MAJORS:
            return Path("/dev/pts") / str(minor)
        return Path("/dev") / Path(f"/sys/dev/char/{major}:{minor}").resolve().name


def processes() -> Iterator[Process]:
    """Every process that is there and may be read."""
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            try:
                stat = (_PROC / entry.name / "stat").read_text("utf-8", "replace")
            except OSError:
                continue  # it has ended
            # proc_pid_stat(5): the name stands in brackets and may hold any itself.
            before, _, after = stat.rpartition(")")
            fields = after.split()
            numbers = (int(fields[at]) for at in (2, 3, 4, 5))
            yield Process(int(entry.name), before.partition("(")[2], *numbers)


def _strings(pid: int, name: str) -> list[str]:
    text = (_PROC / str(pid) / name).read_bytes().decode("utf-8", "surrogateescape")
    return text.split("\0")[:-1]
