"""When an environment stops: observations in, verdict out. Pure: no clock, no disk.

All times are seconds of one clock that never jumps. What was never seen is not taken for quiet: idle begins anew
where a check fails, and where nobody looked for longer than `longest_gap`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_WARNINGS = ((900.0, 4), (300.0, 12))  # seconds before the end, or this part of a short limit


@dataclass(frozen=True)
class Finding:
    """What one check found: "busy", "quiet" or "unknown", and in words why."""

    state: str
    reason: str


@dataclass(frozen=True)
class Activity:
    """What is known of an environment's use: `since` when it is quiet, until when it is kept, and why."""

    at: float
    since: float
    kept_until: float
    state: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What follows. `level` counts the warnings that are due: 0, 1 or 2."""

    idle_seconds: float
    kept_seconds: float
    stops_in: float | None = None
    because: str | None = None
    level: int = 0

    @property
    def warning(self) -> str | None:
        """The warning for people; None where none is due."""
        if not self.level or self.stops_in is None:
            return None
        idle = f"nobody has used it for {_words(self.idle_seconds)}"
        why = idle if self.because == "idle" else "its time is over"
        return f"this environment stops in {_words(self.stops_in)}: {why}"


def observe(
    before: Activity | None,
    findings: Iterable[Finding],
    *,
    now: float,
    kept_until: float,
    longest_gap: float,
) -> Activity:
    """Take in what the checks of one moment found."""
    found = list(findings)
    states = {finding.state for finding in found}
    quiet = states <= {"quiet"}
    state = "idle" if quiet else "busy" if "busy" in states else "unknown"
    told = [each for each in found if quiet or each.state != "quiet"]
    seen = before is not None and now - before.at <= longest_gap
    return Activity(
        at=now,
        since=before.since if before and quiet and seen else now,
        kept_until=kept_until,
        state=state,
        reasons=tuple(each.reason for each in told if each.reason),
    )


def judge(
    activity: Activity, *, now: float, idle_limit: float | None, expires_in: float | None
) -> Verdict:
    """Say when the environment stops and why; it stops once `stops_in` is 0 or less. The sooner end counts."""
    idle, kept = now - activity.since, max(0.0, activity.kept_until - now)
    ends = []
    if idle_limit is not None and activity.state == "idle":
        ends.append((max(idle_limit - idle, kept), "idle", idle_limit))
    if expires_in is not None:
        ends.append((expires_in, "expiry", float("inf")))
    if not ends:
        return Verdict(idle, kept)
    stops_in, because, limit = min(ends)
    level = sum(stops_in <= min(seconds, limit / part) for seconds, part in _WARNINGS)
    return Verdict(idle, kept, stops_in, because, level)


def is_news(before: Verdict | None, after: Verdict) -> bool:
    """Whether people in terminals have not read this warning yet."""
    known = before.level if before and before.because == after.because else 0
    return after.level > known


def _words(seconds: float) -> str:
    seconds = max(0.0, seconds)
    return f"{round(seconds)} s" if seconds < 90 else f"{round(seconds / 60)} min"
