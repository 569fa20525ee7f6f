"""Says what a fleet may be launched from, as a plan does, for counting quotas without one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from fleet.plan.hardware.pools import MARKETS, not_offered, nothing_within_cap, within_cap
from fleet.plan.hardware.quotas import Choice
from fleet.spec.model import Instances


def quota_choices(
    instances: Instances,
    *,
    offerings: Mapping[str, frozenset[str]],
    on_demand: Mapping[str, Decimal],
    region: str,
) -> tuple[Choice, ...]:
    """Give type and market of each choice that the region offers and `max_price` allows, in their order.

    Raises NotFoundError where the region offers none of the types, FleetError where each costs more.
    """
    offered = [name for name in instances.types if offerings.get(name)]
    if not offered:
        raise not_offered(instances, region)
    cap = instances.max_price
    choices = tuple(
        (name, market)
        for market in MARKETS[instances.market]
        for name in offered
        if within_cap(on_demand.get(name), cap, market)
    )
    if not choices:
        raise nothing_within_cap(instances, {name: on_demand.get(name) for name in offered})
    return choices
