"""A person's terminals, whoever made them (sshd, tmux, Jupyter): input, jobs in the foreground, and warnings on them.

A terminal is the person's where its session leader was started with their HOME. A shell at its prompt is no job, nor is
a shell started in it (`sudo -i`), nor what merely shows another terminal; that one is looked at itself.
"""

from __future__ import annotations

import os
import re
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from processes import Process, processes
from rules import Finding

_SHELLS = frozenset("ash bash csh dash fish ksh mksh nu sh tcsh xonsh zsh".split())
_CLIENTS = frozenset(["tmux: client", "screen"])
_FILE_OPTIONS = frozenset(["--init-file", "--rcfile"])  # VS Code starts bash so


@dataclass(frozen=True)
class Terminal:
    """One terminal: its session leader, and what stands in its foreground."""

    leader: Process
    foreground: tuple[Process, ...]

    @property
    def shows_another(self) -> bool:
        """Whether a client of tmux or screen draws on it."""
        return any(each.name in _CLIENTS for each in self.foreground)

    def job(self) -> str | None:
        """The name of what runs in the foreground, if it is more than a shell that waits."""
        if self.leader in self.foreground and _waits(self.leader):
            return None
        passing = _SHELLS | _CLIENTS | {"sudo"}
        return next((each.name for each in self.foreground if each.name not in passing), None)


def terminals(home: Path) -> Iterator[Terminal]:
    """The terminals of the person with this home."""
    every = list(processes())
    for leader in every:
        if leader.terminal and leader.pid == leader.session:
            try:
                if Path(leader.home() or "") != home:
                    continue
            except OSError:
                continue  # it has ended
            inside = (each for each in every if each.session == leader.session)
            yield Terminal(leader, tuple(p for p in inside if p.group == leader.foreground))


class Terminals:
    """Looks for input and jobs. Input is an access time that changed: the kernel keeps it, in steps of 8 s."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._read: dict[tuple[int, Path], float] = {}

    def look(self) -> Finding:
        """One look at all terminals. A terminal that is new is no input yet: a mere connection is none."""
        found = list(terminals(self._home))
        before, self._read = self._read, dict(_read(found))
        job = next(filter(None, (each.job() for each in found)), None)
        if job is not None:
            return Finding("busy", f"{job} runs in a terminal")
        if any(before.get(key, at) != at for key, at in self._read.items()):
            return Finding("busy", "input on a terminal")
        return Finding("quiet", "no terminal input")


def warn(home: Path, message: str) -> None:
    """Write a line on each terminal of the person's, in a thread: none holds the watcher up."""
    threading.Thread(target=_warn, args=(home, message), daemon=True).start()


def _warn(home: Path, message: str) -> None:
    for each in terminals(home):
        if not each.shows_another:
            try:
                _write(each.leader.device(), f"\r\n\a*** {message} ***\r\n".encode())
            except OSError:
                continue  # closed by now, or stopped with Ctrl-S


def _write(device: Path, message: bytes) -> None:
    descriptor = os.open(device, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        if stat.S_ISCHR(os.fstat(descriptor).st_mode):
            os.write(descriptor, message)
    finally:
        os.close(descriptor)


def _read(found: list[Terminal]) -> Iterator[tuple[tuple[int, Path], float]]:
    for each in found:
        device = each.leader.device()
        try:
            yield (each.leader.pid, device), device.stat().st_atime
        except FileNotFoundError:
            continue  # closed by now


def _waits(process: Process) -> bool:
    """Whether this is a shell without a command or script, which therefore reads from its terminal."""
    if process.name not in _SHELLS:
        return False
    try:
        words = process.arguments()[1:]
    except OSError:
        return True  # it has ended
    for before, word in zip(["", *words], words):
        plain = not word.startswith(("-", "+")) and before not in _FILE_OPTIONS
        if plain or re.fullmatch(r"-[a-zA-Z]*c", word):
            return False
    return True
