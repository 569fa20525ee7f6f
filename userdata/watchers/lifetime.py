"""fleet-lifetime: warns, and powers off, once the environment has expired or nobody has used it for its idle time.

Powering off ends the bill: the instance's shutdown behaviour is `terminate`. Everything is decided on the machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import checks
import gpu
import heartbeat
import rules
import terminals
from clock import Clock, from_stamp, to_stamp
from cpu import Cpu
from kernels import Kernels
from settings import Settings, from_environment
from wishes import Wishes

_DEAD_SECONDS = 60.0  # a heartbeat older than this, or than four ticks, is a dead watcher's
_SHORTEST_SLEEP = 0.1
_UNKNOWN_SECONDS = 3.0  # what does not answer may be about to start
_POWEROFF_SECONDS = 30.0
_ADVICE = {"idle": "Press Enter to keep it", "expiry": "Save your work, or ask for more time"}


class Lifetime:
    """The watcher; `tick` looks once and acts."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._expires_at: float | None = None
        person = settings.person
        self._wishes = Wishes(person, clock, keep_seconds=settings.keep_seconds)
        self._checks = [
            checks.Check("expiry", self._read_expiry),
            checks.Check("Jupyter", Kernels(person).look),
            checks.Check("GPU", gpu.look),
            checks.Check("CPU", Cpu(clock.boot).look),
            checks.Check("terminals", terminals.Terminals(person.home).look),
            checks.Check("saved and keep", self._wishes.look),
        ]
        self._activity: rules.Activity | None = None
        self._verdict: rules.Verdict | None = None

    def tick(self) -> float:
        """Look once and act; gives how many seconds there are until the next time."""
        tick = self._settings.tick_seconds
        found = checks.look(self._checks, max(5.0, min(20.0, 4 * tick)))
        now, date = self._clock.boot(), self._clock.now()
        activity = rules.observe(
            self._activity,
            found,
            now=now,
            kept_until=self._wishes.kept_until,
            longest_gap=max(4 * tick, _DEAD_SECONDS),
        )
        verdict = rules.judge(
            activity,
            now=now,
            idle_limit=self._settings.idle_seconds,
            expires_in=None if self._expires_at is None else self._expires_at - date,
        )
        self._tell(activity, verdict, date)
        if verdict.stops_in is not None and verdict.stops_in <= 0:
            _power_off(f"{verdict.because}: {', '.join(activity.reasons)}")
        elif rules.is_news(self._verdict, verdict):
            self._warn(verdict)
        self._activity, self._verdict = activity, verdict
        pace = min(tick, _UNKNOWN_SECONDS) if activity.state == "unknown" else tick
        left = pace if verdict.stops_in is None or verdict.stops_in <= 0 else verdict.stops_in
        return max(_SHORTEST_SLEEP, min(pace, left))

    def _read_expiry(self) -> rules.Finding:
        """Read when it ends. While the file cannot be read, what it said last holds."""
        text = self._settings.expires_file.read_text("utf-8").strip()
        self._expires_at = None if text == "never" else from_stamp(text)
        return rules.Finding("quiet", "")

    def _warn(self, verdict: rules.Verdict) -> None:
        message = f"fleet: {verdict.warning}. {_ADVICE[str(verdict.because)]}."
        terminals.warn(self._settings.person.home, message)

    def _tell(self, activity: rules.Activity, verdict: rules.Verdict, date: float) -> None:
        limit, stops_in = self._settings.idle_seconds, verdict.stops_in
        told = {
            "at": to_stamp(date),
            "boot_seconds": round(activity.at, 3),
            "tick_seconds": self._settings.tick_seconds,
            "state": activity.state,
            "idle_seconds": round(verdict.idle_seconds),
            "idle_limit_seconds": None if limit is None else round(limit),
            "reasons": activity.reasons,
            "kept_seconds": round(verdict.kept_seconds),
            "expires_at": to_stamp(self._expires_at),
            "stops_in_seconds": None if stops_in is None else max(0, round(stops_in)),
            "stops_because": verdict.because,
            "warning": verdict.warning,
        }
        heartbeat.write(self._settings.heartbeats / "lifetime.json", told)


def _power_off(why: str) -> None:
    """Power off; where that fails, the next tick tries again."""
    sys.stderr.write(f"powering off, {why}\n")
    try:
        subprocess.run(["systemctl", "poweroff"], timeout=_POWEROFF_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"not powered off: {error}\n")


def main() -> None:
    """Watch until the machine ends."""
    watcher = Lifetime(from_environment(os.environ), Clock())
    while True:
        time.sleep(watcher.tick())


if __name__ == "__main__":
    main()
