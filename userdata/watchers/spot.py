"""fleet-spot: looks every 5 s whether EC2 takes this Spot instance back, warns, and saves what it was told to save.

Facts: "Spot Instance interruption notices" and "EC2 instance rebalance recommendations" in the EC2 User Guide.
"""

from __future__ import annotations

import json
import os
from typing import Any

import checks
import heartbeat
import terminals
from clock import Clock, from_stamp, to_stamp
from interruption import Interruption
from metadata import Metadata
from rules import Finding
from settings import Settings, from_environment

_TICK_SECONDS = 5.0
_NOTICE_SECONDS = 120.0
_FINAL = ("done", "timed out", "failed")


class Spot:
    """The watcher; `tick` looks once and acts. What was announced once stays so."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._metadata = Metadata(settings.metadata, clock.boot)
        self._check = checks.Check("instance metadata", self._look)
        self._notice: dict[str, Any] | None = None
        self._rebalance = False
        self.interruption = Interruption(settings.person, settings.sync, clock.boot)
        self._path = settings.heartbeats / "spot.json"
        self._before = heartbeat.read(self._path)
        self._state = "quiet"

    def tick(self) -> None:
        """Look once and act."""
        (found,) = checks.look([self._check], _TICK_SECONDS)
        before, self._state = self._state, found.state
        if self._notice is not None:
            self._state = "interruption"
        elif self._rebalance:
            self._state = "rebalance"
        if self._state != before and self._warning():
            terminals.warn(self._settings.person.home, f"fleet: {self._warning()}")
            if self._notice is not None and not self._was_done():
                # Whoever still runs when the time is over has a wrong clock.
                self.interruption.start(self._seconds_left() or _NOTICE_SECONDS)
        self._tell(found)

    def _look(self) -> Finding:
        text = self._metadata.read("spot/instance-action")
        if text is not None:
            notice = json.loads(text)
            if not isinstance(notice, dict):
                raise ValueError(f"no notice: {text}")
            self._notice = notice
        self._rebalance = self._rebalance or bool(
            self._metadata.read("events/recommendations/rebalance")
        )
        return Finding("quiet", "no notice")

    def _seconds_left(self) -> float:
        try:
            left = from_stamp(str((self._notice or {}).get("time"))) - self._clock.now()
        except ValueError:
            return _NOTICE_SECONDS
        return min(_NOTICE_SECONDS, max(0.0, left))

    def _warning(self) -> str | None:
        if self._state == "interruption":
            left = round(self._seconds_left())
            return f"EC2 takes this Spot instance back in {left} s: save your work now"
        if self._state == "rebalance":
            return "EC2 may soon take this Spot instance back: save your work"
        return None

    def _was_done(self) -> bool:
        """Whether this program did all that before it was started anew."""
        before, done = self._before, self.interruption
        if not before.get("time") or before["time"] != (self._notice or {}).get("time"):
            return False
        done.hook, done.sync = before.get("hook"), before.get("sync")
        return all(word is None or word.startswith(_FINAL) for word in (done.hook, done.sync))

    def _tell(self, found: Finding) -> None:
        notice = self._notice or {}
        told = {
            "at": to_stamp(self._clock.now()),
            "boot_seconds": round(self._clock.boot(), 3),
            "tick_seconds": _TICK_SECONDS,
            "state": self._state,
            "action": notice.get("action"),
            "time": notice.get("time"),
            "hook": self.interruption.hook,
            "sync": self.interruption.sync,
            "reasons": [found.reason] if found.state == "unknown" or not self._notice else [],
            "warning": self._warning(),
        }
        heartbeat.write(self._path, told)


def main() -> None:
    """Watch until the machine ends."""
    watcher = Spot(from_environment(os.environ), Clock())
    while True:
        watcher.tick()
        watcher.interruption.changed.wait(_TICK_SECONDS)
        watcher.interruption.changed.clear()


if __name__ == "__main__":
    main()
