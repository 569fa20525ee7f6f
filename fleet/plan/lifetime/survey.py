"""What a watch over a fleet's size finds at a look: who is there, who is lost, who ended on purpose. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from fleet.plan import tags
from fleet.plan.environment.report import Environment
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.launch import Owned
from fleet.plan.launch.plan import Plan
from fleet.plan.money import as_number, total
from fleet.plan.record.ended import EndedMembers

_BY_SOMEBODY = "Client.UserInitiatedShutdown"

EventKind = Literal[
    "watching", "lost", "replacing", "replaced", "failed", "resting", "stopped", "note", "whole", "ended",
]  # fmt: skip
"""What a line of a watch is about:

watching   it begins: what is there
lost       a member's environment is gone, or EC2 is taking it back
replacing  another one is about to be launched, or one is made ready that is there
replaced   it is ready
failed     it is not: why, and when it is tried again
resting    an environment ended on purpose: it stays so until `fleet up`
stopped    an instance is stopped: it stays so until `fleet up`
note       something that passes: AWS did not answer
whole      nothing was to be done (`--once`)
ended      the watch ends: why
"""


@dataclass(frozen=True)
class WatchEvent:
    """One line of a watch. `at` is UTC, `hourly_usd` USD per hour of one instance.

    `member` is None where it is the whole fleet's.
    """

    at: datetime
    kind: EventKind
    fleet: str
    member: str | None
    detail: str
    instance_id: str | None = None
    instance_type: str | None = None
    market: str | None = None
    availability_zone: str | None = None
    address: str | None = None
    hourly_usd: Decimal | None = None

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape. No token is in it: logs keep such lines."""
        return {
            "at": tags.expiry_text(self.at),
            "event": self.kind,
            "fleet": self.fleet,
            "member": self.member,
            "detail": self.detail,
            "instance_id": self.instance_id,
            "instance_type": self.instance_type,
            "market": self.market,
            "availability_zone": self.availability_zone,
            "address": self.address,
            "hourly_usd": as_number(self.hourly_usd),
        }


@dataclass(frozen=True)
class Missing:
    """A member without an environment: the instance that it had, where EC2 still shows it, and why it has none."""

    member: str
    instance: InstanceFact | None
    why: str


@dataclass(frozen=True)
class Survey:
    """The members, parted. `unfinished` run, and their bootstrap has not ended; `resting` ended on purpose."""

    there: tuple[InstanceFact, ...]
    unfinished: tuple[InstanceFact, ...]
    stopped: tuple[InstanceFact, ...]
    lost: tuple[Missing, ...]
    ended: tuple[Missing, ...]

    @property
    def staying(self) -> tuple[InstanceFact, ...]:
        """The instances of all who have one, in whatever state."""
        return (*self.there, *self.unfinished, *self.stopped)

    @property
    def whole(self) -> bool:
        """Whether nobody lacks anything, but those who rest."""
        return not (self.lost or self.unfinished)


def survey(
    members: Iterable[str], instances: Sequence[InstanceFact], ended: EndedMembers
) -> Survey:
    """Part the members by what there is of each."""
    there, unfinished, stopped = [], [], []
    lost: list[Missing] = []
    rests: list[Missing] = []
    for member in members:
        own = sorted(
            (i for i in instances if i.member == member),
            key=lambda i: (i.launched_at, i.instance_id),
        )
        stays = next((i for i in own if i.live and not i.leaving), None)
        if stays is None:
            missing = _missing(member, own)
            (rests if _on_purpose(missing, ended) else lost).append(missing)
        elif stays.state in {"stopped", "stopping"}:
            stopped.append(stays)
        elif tags.BOOTSTRAP not in stays.tags:
            unfinished.append(stays)
        else:
            there.append(stays)
    return Survey(tuple(there), tuple(unfinished), tuple(stopped), tuple(lost), tuple(rests))


def _missing(member: str, own: Sequence[InstanceFact]) -> Missing:
    last = next(reversed(own), None)  # an older one may be leaving still
    if last is None:
        return Missing(member, None, "it has no instance")
    if last.leaving:
        at = (
            f" at about {last.taken_back_at:%H:%M:%S}Z"
            if last.taken_back_at
            else " within two minutes"
        )
        return Missing(member, last, f"EC2 takes it back{at}")
    return Missing(member, last, last.state_reason or f"its instance is {last.state}")


def _on_purpose(missing: Missing, ended: EndedMembers) -> bool:
    """Whether it ended by itself; or is kept as ended, and EC2 knows no other cause of its end."""
    last = missing.instance
    if last is not None and last.ended_by_itself:
        return True
    known = last is not None and last.state_reason_code != _BY_SOMEBODY
    return not known and ended.has(missing.member)


def ended_words(missing: Missing, *, now: datetime) -> str:
    """Say why an environment that ended stays so."""
    last = missing.instance
    expiry = last.expires_at if last else None
    if last is None or not last.ended_by_itself:
        why = "it ended on purpose"
    elif expiry is not None and expiry <= now:
        why = f"its time was over at {tags.expiry_text(expiry)}"
    else:
        why = "it switched itself off: idle, or somebody shut it down"
    return f"{why}: it stays so, `fleet up` brings it back"


def beginning_words(found: Survey, *, size: int, every: float) -> str:
    """Say what there is when a watch begins; `size` is how many there are to be."""
    there = (*found.there, *found.unfinished)
    price = total(instance.hourly_usd for instance in there)
    each = "price unknown" if price is None else f"${price:.2f}/h"
    ends = [one.expires_at for one in there if one.expires_at]
    until = f", until {tags.expiry_text(max(ends))}" if ends else ""
    return f"{len(there)} of {size} environments there, {each}{until}; a look every {every:.0f} s"


def ready_words(one: Environment, *, fleet: str) -> str:
    """Say that another environment is ready, where, and what it costs."""
    what = f"{one.instance_type} {one.market} in {one.availability_zone}"
    price = "price unknown" if one.hourly_usd is None else f"${one.hourly_usd:.4f}/h"
    link = f"`fleet urls {fleet}` has the link"
    return f"{one.instance_id} is ready at {one.address} ({what}, {price}): {link}"


def expired_at(instances: Sequence[InstanceFact], *, now: datetime) -> datetime | None:
    """Give when the time of all that lives was over, None where something may go on."""
    ends = [i.expires_at for i in instances if i.live]
    known = [end for end in ends if end is not None]
    latest = max(known, default=None)
    return latest if len(known) == len(ends) and latest is not None and latest <= now else None


def fleet_expired_at(owned: Owned, *, now: datetime) -> datetime | None:
    """Give when the time was over that new instances of the fleet would run for; None where it is not."""
    ends = [tags.parse_expiry(template.expires_at) for template in owned.launch_templates[:1]]
    return next((end for end in ends if end is not None and end <= now), None)


def dearest(plan: Plan) -> Decimal | None:
    """Give USD per hour of one new instance from the dearest pool that the plan allows; None where one is unknown."""
    prices = [
        pool.price(market)
        for market in plan.markets
        for pool in plan.pools
        if plan.affordable(pool, market)
    ]
    known = [price for price in prices if price is not None]
    return max(known, default=None) if len(known) == len(prices) else None


def environment_event(
    at: datetime, kind: EventKind, fleet: str, one: Environment, detail: str
) -> WatchEvent:
    """Give an event about an environment."""
    return WatchEvent(
        at,
        kind,
        fleet,
        one.member,
        detail,
        one.instance_id,
        one.instance_type,
        one.market,
        one.availability_zone,
        one.address,
        one.hourly_usd,
    )


def instance_event(
    at: datetime,
    kind: EventKind,
    fleet: str,
    instance: InstanceFact | None,
    *,
    member: str,
    detail: str,
) -> WatchEvent:
    """Give an event about a member's instance, where there is one."""
    if instance is None:
        return WatchEvent(at, kind, fleet, member, detail)
    return WatchEvent(
        at,
        kind,
        fleet,
        member,
        detail,
        instance.instance_id,
        instance.instance_type,
        instance.market,
        instance.availability_zone,
        instance.address,
        instance.hourly_usd,
    )
