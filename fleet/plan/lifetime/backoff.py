"""When a watch tries again what did not work: later each time, at once where somebody else is lost. Pure.

Times are seconds of a monotonic clock.
"""

from __future__ import annotations

_LONGEST_SECONDS = 600.0
_MOST_FINISHINGS = 3


class Backoff:
    """Counts attempts. `every` is the time between two looks, the shortest wait."""

    def __init__(self, every: float) -> None:
        self.wait = 0.0
        self._every = every
        self._tried: frozenset[str] = frozenset()
        self._not_before = 0.0
        self._finishings: dict[str, int] = {}

    def due(self, members: frozenset[str], *, now: float) -> bool:
        """Whether something is to be tried for these members now."""
        return bool(members) and (now >= self._not_before or not members <= self._tried)

    def note_failed(self, members: frozenset[str], *, now: float) -> None:
        """Take that an attempt for these members left some without an environment."""
        self._tried = members
        self.wait = min(max(self.wait * 2, self._every), _LONGEST_SECONDS)
        self._not_before = now + self.wait

    def note_done(self) -> None:
        """Take that nobody lacks anything."""
        self.wait = self._not_before = 0.0
        self._tried = frozenset()

    def note_unfinished(self, instance_id: str) -> None:
        """Take that a bootstrap did not end well."""
        self._finishings[instance_id] = self._finishings.get(instance_id, 0) + 1

    def gives_up(self, instance_id: str | None) -> bool:
        """Whether an instance's bootstrap was gone on with often enough."""
        return self._finishings.get(instance_id or "", 0) >= _MOST_FINISHINGS
