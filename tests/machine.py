"""A pretended machine for scripts that run as root: a folder as its disk, a sudo and a systemctl that stay inside."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_SUDO = """#!/bin/bash
[ "$1" = -n ] && shift
exec "${@/#\\//$ROOT/}"
"""
_SYSTEMCTL = """#!/bin/bash
echo "$*" >>"$ROOT/systemctl"
[ "$1" = show ] || exit "$(cat "$ROOT/says")"
echo "NextElapseUSecRealtime=$(cat "$ROOT/next")"
"""


@dataclass(frozen=True)
class Machine:
    """The machine whose disk is `root`."""

    root: Path

    def __post_init__(self) -> None:
        self.programs.mkdir(parents=True)
        for name, text in (("sudo", _SUDO), ("systemctl", _SYSTEMCTL)):
            (self.programs / name).write_text(text)
            (self.programs / name).chmod(0o755)
        self.answers()

    @property
    def programs(self) -> Path:
        """Its own programs, first on PATH."""
        return self.root / "programs"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a shell one of this machine."""
        return {"ROOT": str(self.root), "PATH": f"{self.programs}:{os.environ['PATH']}"}

    def answers(self, *, timer: datetime | None = None, status: int = 0) -> None:
        """Let systemctl end with a status, and say when the expiry timer fires next."""
        if timer is not None:
            unit = self.file("/etc/systemd/system/fleet-expiry.timer")
            unit.parent.mkdir(parents=True, exist_ok=True)
            unit.write_text("[Timer]\nOnCalendar=2026-11-21 17:00:00 UTC\nOnUnitInactiveSec=2min\n")
        shown = timer.strftime("%a %Y-%m-%d %H:%M:%S UTC") if timer else ""
        (self.root / "next").write_text(shown)
        (self.root / "says").write_text(str(status))

    def file(self, path: str) -> Path:
        """Where a file of the machine lies."""
        return self.root / path.removeprefix("/")

    @property
    def expires_at(self) -> str:
        """What its watcher reads."""
        return self.file("/etc/fleet/expires-at").read_text()
