"""Asks systemd how much CPU time the whole machine has used."""

from __future__ import annotations

import os
import subprocess
from typing import Callable

from rules import Finding

_BUSY_SHARE = 0.15  # of one core
_SECONDS = 10.0


class Cpu:
    """Looks at the CPU time since the last look, less what the watcher itself took."""

    def __init__(self, boot: Callable[[], float]) -> None:
        self._boot = boot
        self._before: tuple[float, float] | None = None

    def look(self) -> Finding:
        """One look; the first knows no share yet."""
        at, used = self._boot(), _used()
        before, self._before = self._before, (at, used)
        if before is None or at <= before[0]:
            return Finding("quiet", "")
        share = max(0.0, (used - before[1]) / (at - before[0]))
        return Finding(
            "busy" if share >= _BUSY_SHARE else "quiet", f"CPU {share:.0%}".replace("%", " %")
        )


def _used() -> float:
    done = subprocess.run(
        ["systemctl", "show", "--property=CPUUsageNSec", "--", "-.slice"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    _, _, value = done.stdout.strip().partition("CPUUsageNSec=")
    if not value.isdigit() or int(value) == 2**64 - 1:
        raise ValueError("systemctl gives no CPU time")
    return int(value) / 1e9 - sum(os.times()[:4])
