"""What an environment's watchers say of it: the heartbeats that Jupyter hands on, and in words. Pure.

They come from a machine on which its person may do anything: what is not as it must be is not taken, texts are cut
and lose what could move a terminal's cursor.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from fleet.plan import tags

_SILENT_TICKS = 4
_SILENT_SECONDS = 60.0
_LONGEST_TEXT = 200
_MOST_REASONS = 10
_MOST_SECONDS = 10.0**9
_TWO_MINUTES = 120.0
_STATES = ("busy", "idle", "unknown")
_SPOT_STATES = ("quiet", "rebalance", "interruption", "unknown")


@dataclass(frozen=True)
class Lifetime:
    """What fleet-lifetime says. `state` is busy, idle or unknown (a check fails: not idle); `reasons` say why.

    Seconds throughout; `idle_limit_seconds` is None where nothing ends by idling, `stops_because` idle or expiry.
    """

    state: str
    idle_seconds: float
    idle_limit_seconds: float | None
    reasons: tuple[str, ...]
    kept_seconds: float
    expires_at: datetime | None
    stops_in_seconds: float | None
    stops_because: str | None
    warning: str | None

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape."""
        return {
            **vars(self),
            "reasons": list(self.reasons),
            "expires_at": tags.expiry_text(self.expires_at) if self.expires_at else None,
        }


@dataclass(frozen=True)
class Spot:
    """What fleet-spot says. `state` is quiet, rebalance, interruption or unknown; `time` is when EC2 takes it back.

    `hook` is how ~/on-interruption stands, `sync` how the saving of files does.
    """

    state: str
    action: str | None
    time: datetime | None
    hook: str | None
    sync: str | None
    reasons: tuple[str, ...]
    warning: str | None

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape."""
        return {
            **vars(self),
            "reasons": list(self.reasons),
            "time": tags.expiry_text(self.time) if self.time else None,
        }


T = TypeVar("T", Lifetime, Spot)


@dataclass(frozen=True)
class Watcher(Generic[T]):
    """A watcher that is expected on a machine. `says` and `age_seconds` are None where it was not heard of at all."""

    alive: bool
    age_seconds: float | None
    says: T | None

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape: what it said last, and whether it is alive."""
        said = self.says.as_json() if self.says else {}
        return {"alive": self.alive, "age_seconds": self.age_seconds, **said}


@dataclass(frozen=True)
class Watchers:
    """The watchers of one environment, None for one that is not installed."""

    lifetime: Watcher[Lifetime] | None
    spot: Watcher[Spot] | None

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of `watchers` of an environment."""
        said = latest_report(self.lifetime)
        return {
            "activity": activity(said) if said else None,
            "lifetime": self.lifetime.as_json() if self.lifetime else None,
            "spot": self.spot.as_json() if self.spot else None,
        }


def latest_report(watcher: Watcher[T] | None) -> T | None:
    """Give what a watcher says, None where it is dead or not installed."""
    return watcher.says if watcher is not None and watcher.alive else None


def parse_watchers(told: object) -> Watchers | None:
    """Read the answer of GET /fleet/watchers; None where it is none."""
    found = told.get("watchers") if isinstance(told, dict) else None
    if not isinstance(found, dict):
        return None
    return Watchers(
        lifetime=_watcher(found["lifetime"], _lifetime) if "lifetime" in found else None,
        spot=_watcher(found["spot"], _spot) if "spot" in found else None,
    )


def describe_watchers(
    watchers: Watchers | None, *, member: str, expires_at: datetime | None, fleet: str, command: str
) -> Iterator[str]:
    """Say how an environment stands, one fact a line. `expires_at` is its tag's, `command` how commands begin."""
    if watchers is None or (watchers.lifetime is None and watchers.spot is None):
        yield "no word of its watchers"
        return
    whose = f"{fleet} --member {shlex.quote(member)}"
    if lifetime := latest_report(watchers.lifetime):
        yield activity(lifetime)
        if expires_at and lifetime.expires_at and lifetime.expires_at > expires_at:
            later = tags.expiry_text(lifetime.expires_at)
            yield f"ends at {later}, later than its tag says: `{command} extend {whose} --until {later}` mends the tag"
    if spot := latest_report(watchers.spot):
        yield from _notice(spot)
    for name, watcher in (("fleet-lifetime", watchers.lifetime), ("fleet-spot", watchers.spot)):
        if watcher is not None and not watcher.alive:
            logs = f"`{command} logs {fleet} {shlex.quote(member)}` shows why"
            yield f"{name} {_silence(watcher)}: {logs}, `{command} bootstrap {whose}` starts it again"


def activity(said: Lifetime) -> str:
    """Say on one line whether an environment is in use, and what follows."""
    head = _idle(said) if said.state == "idle" else said.state
    parts = [f"{head}: {', '.join(said.reasons)}" if said.reasons else head]
    if said.state == "unknown":
        parts.append("not counted as idle")
    if said.kept_seconds > 0:
        parts.append(f"kept for {_length(said.kept_seconds)}")
    if said.warning is not None and said.stops_in_seconds is not None:
        why = ", at its expiry" if said.stops_because == "expiry" else ""
        parts.append(f"stops in {_length(said.stops_in_seconds)}{why}")
    return "; ".join(parts)


def _idle(said: Lifetime) -> str:
    idle, limit = said.idle_seconds, said.idle_limit_seconds
    if limit is None:
        return f"idle {_length(idle)}"
    divisor, unit = (1, "s") if limit < _TWO_MINUTES else (60, "min")
    return f"idle {int(idle / divisor)} of {int(limit / divisor)} {unit}"


def _length(seconds: float) -> str:
    return f"{int(seconds)} s" if seconds < _TWO_MINUTES else f"{int(seconds / 60)} min"


def _silence(watcher: Watcher[Lifetime] | Watcher[Spot]) -> str:
    if watcher.age_seconds is None:
        return "has not been heard of at all"
    if watcher.says is None:
        return "says nothing that can be read"
    return f"has not been heard of for {_length(watcher.age_seconds)}"


def _notice(spot: Spot) -> Iterator[str]:
    """Say what EC2 has announced; nothing where it is quiet."""
    if spot.state == "unknown":
        yield f"Spot notices are not seen: {', '.join(spot.reasons) or 'unknown why'}"
    if spot.state == "rebalance":
        yield "Spot: EC2 recommends to rebalance, for an interruption is likelier than usual"
    if spot.state == "interruption":
        parts = [f"Spot: EC2 takes the instance back ({spot.action or 'interruption'})"]
        if spot.time is not None:
            parts[0] += f" at {tags.expiry_text(spot.time)}"
        parts += [f"~/on-interruption: {spot.hook}"] if spot.hook else []
        parts += [f"sync: {spot.sync}"] if spot.sync else []
        yield "; ".join(parts)


def _watcher(told: object, read: Callable[[Mapping[str, Any]], T | None]) -> Watcher[T]:
    """Read one heartbeat. What is none is as good as a dead watcher's."""
    if not isinstance(told, dict):
        return Watcher(alive=False, age_seconds=None, says=None)
    age, says = _seconds(told.get("age_seconds")), read(told)
    tick = _seconds(told.get("tick_seconds")) or 0.0
    fresh = age is not None and age <= max(_SILENT_TICKS * tick, _SILENT_SECONDS)
    return Watcher(alive=fresh and says is not None, age_seconds=age, says=says)


def _lifetime(told: Mapping[str, Any]) -> Lifetime | None:
    idle = _seconds(told.get("idle_seconds"))
    if told.get("state") not in _STATES or idle is None:
        return None
    return Lifetime(
        state=str(told["state"]),
        idle_seconds=idle,
        idle_limit_seconds=_seconds(told.get("idle_limit_seconds")),
        reasons=_texts(told.get("reasons")),
        kept_seconds=_seconds(told.get("kept_seconds")) or 0.0,
        expires_at=_time(told.get("expires_at")),
        stops_in_seconds=_seconds(told.get("stops_in_seconds")),
        stops_because=_text(told.get("stops_because")),
        warning=_text(told.get("warning")),
    )


def _spot(told: Mapping[str, Any]) -> Spot | None:
    if told.get("state") not in _SPOT_STATES:
        return None
    return Spot(
        state=str(told["state"]),
        action=_text(told.get("action")),
        time=_time(told.get("time")),
        hook=_text(told.get("hook")),
        sync=_text(told.get("sync")),
        reasons=_texts(told.get("reasons")),
        warning=_text(told.get("warning")),
    )


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST_SECONDS else None


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(letter if letter.isprintable() else "?" for letter in value[:_LONGEST_TEXT])


def _texts(value: object) -> tuple[str, ...]:
    found = map(_text, value[:_MOST_REASONS]) if isinstance(value, list) else ()
    return tuple(text for text in found if text)


def _time(value: object) -> datetime | None:
    return tags.parse_expiry(value) if isinstance(value, str) else None
