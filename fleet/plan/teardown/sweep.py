"""Finds what nobody needs any more: fleets past their expiry, half-made fleets, orphans of every kind. Pure.

Age is what EC2 tells of a thing. What has none (security groups, interfaces) takes the age of the youngest
thing of its fleet; where nothing of the fleet tells an age, it is shown and not touched: it may be the first
second of an `up`, and `fleet down NAME` takes it away on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from fleet.plan import tags
from fleet.plan.money import as_number
from fleet.plan.teardown.resources import Inventory, Key, Kind, Resource, releasable

_FOUNDATION: frozenset[Kind] = frozenset({"launch_templates", "parameters"})
_OWN_LIFE: frozenset[Kind] = frozenset({"volumes", "network_interfaces", "spot_requests"})
_BAKED: frozenset[Kind] = frozenset({"images", "snapshots"})
_Why = Callable[[Resource], str]


@dataclass(frozen=True)
class Orphan:
    """Something that a sweep found, and why. `age` is None where EC2 tells none; `touch` whether it may go."""

    resource: Resource
    region: str
    reason: str
    age: timedelta | None
    touch: bool = True
    monthly_usd: Decimal | None = None

    @property
    def key(self) -> tuple[str, Key]:
        """Tell it from everything else in all regions."""
        return self.region, self.resource.key

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape; age in seconds, price in USD per month of 30 days."""
        return {
            "kind": self.resource.kind,
            "id": self.resource.resource_id,
            "fleet": self.resource.fleet,
            "region": self.region,
            "age_seconds": None if self.age is None else int(self.age.total_seconds()),
            "reason": self.reason,
            "monthly_usd": as_number(self.monthly_usd),
            "touch": self.touch,
        }


def plan_sweep(
    inventory: Inventory, *, region: str, now: datetime, older_than: timedelta
) -> tuple[Orphan, ...]:
    """Find the orphans of one region, fleet by fleet. Nothing is one where instances could not be looked at."""
    if "instances" in inventory.unread:
        return ()
    known = releasable(inventory)
    found: list[Orphan] = []
    for fleet in sorted({r.fleet for r in known}):
        parts = tuple(r for r in known if r.fleet == fleet)
        found += _Fleet(parts, inventory, region, now, older_than).orphans()
    return tuple(found)


@dataclass(frozen=True)
class _Fleet:
    """One fleet's things, looked at together."""

    parts: tuple[Resource, ...]
    inventory: Inventory
    region: str
    now: datetime
    older_than: timedelta

    def orphans(self) -> tuple[Orphan, ...]:
        live = [r for r in self.parts if r.live]
        expired = [r for r in live if self._past(r) is not None]
        if live and len(expired) < len(live):
            return (*self._of_living(expired), *self._kept())
        past = next((p for r in (*expired, *self._templates()) if (p := self._past(r))), None)
        if past is not None:
            return (*self._all(f"the fleet expired {age_text(past)} ago"), *self._kept())
        return (*self._aged(self._loose(), _why_half_made), *self._kept())

    def _of_living(self, expired: list[Resource]) -> Iterator[Orphan]:
        """A fleet at work: its expired instances, things attached to nothing, bakes that did not end."""
        over = {r.resource_id for r in expired}
        for r in self.parts:
            past = self._past(r) if r in expired else None
            if past is not None:
                yield self._orphan(r, f"expired {age_text(past)} ago")
            elif r.instance_id in over and not r.kept:
                yield self._orphan(r, f"its instance {r.instance_id} has expired")
        if self._abandoned():
            yield from self._aged(self._loose(), lambda _: "the fleet's secrets are gone")
            return
        loose = [r for r in self._loose() if r.kind in _OWN_LIFE and r.instance_id is None]
        loose += [r for r in self.parts if r.kind in _BAKED]
        yield from self._aged(loose, _why_loose, own_age=True)

    def _abandoned(self) -> bool:
        """Whether instances run of which nobody has the secrets: what is left of a teardown."""
        there = {r.kind for r in self.parts} | set(self.inventory.unread)
        return not there & _FOUNDATION

    def _templates(self) -> tuple[Resource, ...]:
        return tuple(r for r in self.parts if r.kind == "launch_templates")

    def _loose(self) -> tuple[Resource, ...]:
        """What is not kept on purpose, ends with no instance as it is, and serves no foreign one."""
        live = {r.resource_id for r in self.inventory.instances if r.live and r.ours}
        return tuple(
            r
            for r in self.parts
            if not r.kept
            and (r.kind != "instances" or r.live)
            and (r.instance_id is None or r.instance_id in live)
        )

    def _all(self, reason: str) -> Iterator[Orphan]:
        return (self._orphan(r, reason) for r in self._loose())

    def _kept(self) -> Iterator[Orphan]:
        """Shown for what it costs; whoever kept it decides."""
        for r in self.parts:
            if r.kept and r.instance_id is None:
                why = f"kept by `down --keep-volumes`; `fleet down {r.fleet}` removes it"
                yield self._orphan(r, why, touch=False)

    def _aged(
        self, found: Iterable[Resource], why: _Why, *, own_age: bool = False
    ) -> Iterator[Orphan]:
        """Keep what is old enough. The youngest thing of a fleet speaks for all that belongs together."""
        youngest = self._youngest()
        for r in found:
            age = self._age(r) if own_age and r.made_at else youngest
            if self.older_than <= timedelta(0) or (age is not None and age >= self.older_than):
                yield self._orphan(r, why(r))
            elif age is None:
                unknown = f"{why(r)}; its age is not known: `fleet down {r.fleet}` removes it"
                yield self._orphan(r, unknown, touch=False)

    def _youngest(self) -> timedelta | None:
        ages = (self._age(r) for r in self.parts if not r.kept)
        return min((age for age in ages if age is not None), default=None)

    def _age(self, r: Resource) -> timedelta | None:
        return None if r.made_at is None else max(self.now - r.made_at, timedelta(0))

    def _past(self, r: Resource) -> timedelta | None:
        """How long ago a thing's expiry was; None where it has none, or it is to come."""
        at = tags.parse_expiry(r.tags.get(tags.EXPIRES_AT))
        return None if at is None or at > self.now else self.now - at

    def _orphan(self, r: Resource, reason: str, *, touch: bool = True) -> Orphan:
        return Orphan(r, self.region, reason, self._age(r), touch)


def _why_half_made(r: Resource) -> str:
    if r.kind in _OWN_LIFE:
        return "its instance is gone"
    return _why_loose(r) if r.kind in _BAKED else "its fleet has no instance"


def _why_loose(r: Resource) -> str:
    return "of a bake that did not end" if r.kind in _BAKED else "attached to no instance"


def age_text(age: timedelta | None) -> str:
    """Write an age for people, in its largest unit."""
    if age is None:
        return "unknown"
    seconds = int(age.total_seconds())
    for unit, name in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= unit:
            return f"{seconds // unit}{name}"
    return f"{seconds}s"
