"""Time for the watchers: durations by the boot-time clock, dates by a wall clock that does not jump.

What holds: idle and kept time know the boot-time clock alone, which nobody can set. A date is the wall clock's at the
start, and the boot-time clock's seconds since. The first time that the kernel calls the wall clock synchronised, its
date is taken, however far away; from then on only while it is and agrees within a minute, which follows a drift and
ignores a jump. So a jump after the start makes an expiry neither early nor late, whether NTP runs or not. A start with
a wrong wall clock counts until it is synchronised. (Setting a clock by hand makes the kernel call it unsynchronised.)
"""

from __future__ import annotations

import ctypes
import time
from datetime import datetime, timezone
from typing import Callable

_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_DRIFT_SECONDS = 60.0


def boot_seconds() -> float:
    """Seconds since boot, suspension included; nobody can set this clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def is_synchronised() -> bool:
    """Whether the kernel says so. A container may not ask: then False."""
    try:
        # No modes are set in the zeroed struct timex, so this only reads; 512 bytes are more than it has anywhere.
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (AttributeError, OSError):
        return False
    return 0 <= int(state) < _TIME_ERROR


class Clock:
    """Gives seconds of the epoch; see above."""

    def __init__(
        self,
        wall: Callable[[], float] = time.time,
        boot: Callable[[], float] = boot_seconds,
        synchronised: Callable[[], bool] = is_synchronised,
    ) -> None:
        self._wall, self.boot, self._synchronised = wall, boot, synchronised
        self._offset = wall() - boot()
        self._trusted = False

    def now(self) -> float:
        """The date, in seconds of the epoch."""
        offset = self._wall() - self.boot()
        agrees = abs(offset - self._offset) < _DRIFT_SECONDS
        if (agrees or not self._trusted) and self._synchronised():
            self._offset, self._trusted = offset, True
        return self._offset + self.boot()


def to_stamp(seconds: float | None) -> str | None:
    """Write a date as 2026-11-21T20:00:00Z."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(round(seconds), timezone.utc).strftime(_STAMP)


def from_stamp(text: str) -> float:
    """Read such a date. Raises ValueError."""
    return datetime.strptime(text, _STAMP).replace(tzinfo=timezone.utc).timestamp()
