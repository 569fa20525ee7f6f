"""What a plan warns of, each with its reason: a person reads it before saying yes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fleet.plan.facts.environment import InstanceFact
from fleet.plan.hardware.pools import MARKETS, Pool
from fleet.spec.model import FleetSpec

_WORLD = frozenset({"0.0.0.0/0", "::/0"})


def plan_warnings(
    spec: FleetSpec,
    *,
    pools: Sequence[Pool],
    surplus: Sequence[InstanceFact],
    expires_at: datetime | None,
) -> Iterable[str]:
    """Give the warnings of a plan, one line each."""
    yield from _about_time(spec, expires_at)
    if _WORLD & set(spec.access.sources):
        yield "access.from opens the environments to the whole internet"
    yield from _about_types(spec, pools)
    yield from _about_interruption(spec)
    for instance in surplus:
        yield (
            f"{instance.instance_id} ({instance.member or 'nobody'}) is not in the spec; it stays, "
            f"and costs, until `fleet down {spec.name}`"
        )


def _about_time(spec: FleetSpec, expires_at: datetime | None) -> Iterable[str]:
    if expires_at is None:
        these = "these instances cost" if spec.idle is None else "an instance that is in use costs"
        yield f"expires: never: {these} money until `fleet down`"


def _about_types(spec: FleetSpec, pools: Sequence[Pool]) -> Iterable[str]:
    for name in spec.instances.types:
        zones = [pool.availability_zone for pool in pools if pool.instance_type == name]
        if not zones:
            yield f"{name} is not offered in this region's zones and is left out"
        elif len(zones) == 1:
            yield f"{name} is offered in {zones[0]} alone: when that zone is full, there is none"
    cap = spec.instances.max_price
    dear = [p.instance_type for p in pools if not p.within(cap, "on-demand")]
    if "on-demand" in MARKETS[spec.instances.market] and dear:
        yield f"max_price {cap} leaves out {' and '.join(dict.fromkeys(dear))} On-Demand"
    if "spot" in MARKETS[spec.instances.market]:
        yield (
            "Spot instances can be taken back with two minutes' notice, and what is on them goes: "
            "write checkpoints to a place that stays"
        )


def _about_interruption(spec: FleetSpec) -> Iterable[str]:
    if not spec.interruption.sync:
        return
    if "spot" not in MARKETS[spec.instances.market]:
        yield "interruption.sync has no effect: EC2 takes Spot Instances back, and these are On-Demand"
    elif spec.instances.profile is None:
        yield (
            "interruption.sync writes to S3, and the instances have no credentials for it: "
            "name an instance profile under instances.profile"
        )
