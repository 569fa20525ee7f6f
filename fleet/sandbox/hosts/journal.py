"""A host's journal: one line per line that a unit writes, and `journalctl`.

A line is `TIME UNIT IDENT[PID]: TEXT`, with the time in ISO 8601 and UTC.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

from fleet.sandbox.hosts.commands import Answer, Become, Reply, Request

_LIMIT = 32 * 2**20
_FOLLOW = r"""tail -n +1 -F "$0" 2>/dev/null | awk -v units="$1" -v skip="$2" -v cat="$3" '
NR > skip && (units == "" || index(units, " " $2 " ")) {
  line = $0; time = $1; sub(/^[^ ]+ [^ ]+ /, "", line)
  if (cat) sub(/^[^ ]*: /, "", line); else line = time " " line
  print line; fflush() }'"""


class Journal:
    """Appends to one file; `-u` and `-n` select when it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, unit: str, ident: str, pid: int, text: str) -> None:
        """One line."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._path.open("a", errors="replace") as file:
            file.write(f"{now} {unit} {ident}[{pid}]: {text}\n")
            full = file.tell() > _LIMIT
        if full:
            self._path.replace(self._path.with_suffix(".1"))

    def lines(self, units: Collection[str] = (), *, bare: bool = False) -> list[str]:
        """The lines of those units, or all; `bare` gives the text alone."""
        try:
            text = self._path.read_text(errors="replace")
        except FileNotFoundError:
            return []
        split = (line.split(" ", 3) for line in text.splitlines())
        chosen = [each for each in split if len(each) == 4 and (not units or each[1] in units)]
        return [each[3] if bare else f"{each[0]} {each[2]} {each[3]}" for each in chosen]

    def attach(self, unit: str, ident: str, pid: int, fd: int) -> asyncio.Future[None]:
        """Write what comes from the pipe `fd` until it closes; the future is done then."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        rest = b""
        os.set_blocking(fd, False)

        def on_readable() -> None:
            nonlocal rest
            try:
                data = os.read(fd, 65536)
            except BlockingIOError:
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in [*lines, rest] if not data and rest else lines:
                self.write(unit, ident, pid, line.decode(errors="replace"))
            if not data:
                loop.remove_reader(fd)
                os.close(fd)
                done.set_result(None)

        loop.add_reader(fd, on_readable)
        return done

    async def journalctl(self, request: Request) -> Answer:
        """`journalctl [-u UNIT] [-n N] [-o cat] [-f] [--no-pager] [-b]`."""
        units, count, bare, follow = _options(request.arguments)
        lines = self.lines(units, bare=bare)
        if follow:
            skip = max(0, len(self.lines()) - (10 if count is None else count))
            shown = f" {' '.join(units)} " if units else ""
            shell = shutil.which("sh") or "/bin/sh"
            words = ("sh", "-c", _FOLLOW, str(self._path), shown, str(skip), "1" if bare else "")
            return Become(shell, words)
        if count is not None:
            lines = lines[len(lines) - min(count, len(lines)) :]
        return Reply(out="".join(f"{line}\n" for line in lines) or "-- No entries --\n")


def _options(arguments: tuple[str, ...]) -> tuple[list[str], int | None, bool, bool]:
    units: list[str] = []
    count, bare, follow = None, False, False
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        option, equals, given = word.partition("=")
        if not word.startswith("--") and word[:2] in {"-u", "-n", "-o"} and len(word) > 2:
            option, equals, given = word[:2], "=", word[2:]
        value = given if equals else (rest[0] if rest else "")
        takes = option in {"-u", "--unit", "--user-unit", "-n", "--lines", "-o", "--output", "-t"}
        takes = takes or option in {"-p", "--since", "-S", "--until", "-U"}
        if takes and not equals and rest:
            rest.pop(0)
        if option in {"-u", "--unit", "--user-unit"}:
            units.append(value if "." in value else f"{value}.service")
        elif option in {"-n", "--lines"}:
            count = int(value) if value.isdigit() else None
        elif option in {"-o", "--output"}:
            bare = value == "cat"
        follow = follow or option in {"-f", "--follow"}
    return units, count, bare, follow
