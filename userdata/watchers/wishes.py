"""Two files that Jupyter touches in the person's folder: `saved` on every save, `keep` on "keep for an hour"."""

from __future__ import annotations

from clock import Clock
from person import Person
from rules import Finding


class Wishes:
    """Looks whether they were touched, by their times having changed: a wall clock that jumps touches nothing.

    `kept_until` is by the boot-time clock. A `keep` from before this program is believed by its date.
    """

    def __init__(self, person: Person, clock: Clock, *, keep_seconds: float) -> None:
        self._person, self._clock, self._keep_seconds = person, clock, keep_seconds
        self._before: list[float | None] | None = None
        self.kept_until = 0.0

    def look(self) -> Finding:
        """One look."""
        before, self._before = self._before, [self._time("saved"), self._time("keep")]
        kept = self._before[1]
        if before is None:
            age = self._clock.now() - (kept or 0.0)
            left = self._keep_seconds - age if age >= 0 else 0.0
            self.kept_until = self._clock.boot() + left
            return Finding("quiet", "")
        if kept is not None and kept != before[1]:
            self.kept_until = self._clock.boot() + self._keep_seconds
            return Finding("busy", "somebody asked to keep it")
        saved = self._before[0] not in (None, before[0])
        return Finding("busy", "a file was saved") if saved else Finding("quiet", "")

    def _time(self, name: str) -> float | None:
        try:
            return (self._person.files / name).lstat().st_mtime
        except FileNotFoundError:
            return None
