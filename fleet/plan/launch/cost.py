"""What the fleet of a plan costs, and what has to be said of the prices. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from fleet.plan.facts.hardware import Prices
from fleet.plan.hardware.cost import FleetCost, fleet_cost
from fleet.plan.hardware.pools import MARKETS, Pool
from fleet.plan.hardware.prices import instance_figure, price_notes, unknown_notes, volume_figures
from fleet.plan.money import total
from fleet.plan.record.members import Split
from fleet.spec.model import FleetSpec


def plan_cost(spec: FleetSpec, members: Split, pools: Sequence[Pool], prices: Prices) -> FleetCost:
    """Price the whole fleet: what is there, and what is new at the first and at the dearest choice."""
    cap, markets = spec.instances.max_price, MARKETS[spec.instances.market]
    choices = [p.price(m) for m in markets for p in pools if p.within(cap, m)]
    low, high = _hourly(members, choices)
    return fleet_cost(
        count=members.size,
        instances=low,
        instances_at_most=high,
        volume=spec.volume,
        rates=prices.rates,
        public=spec.access.public,
    )


def plan_price_notes(
    spec: FleetSpec, pools: Sequence[Pool], prices: Prices, *, now: datetime
) -> tuple[str, ...]:
    """Say how old the prices are, and which are not known."""
    types = [pool.instance_type for pool in pools]
    figures = [*map(instance_figure, types), *volume_figures(spec.volume), "address"]
    unknown = unknown_notes(types, MARKETS[spec.instances.market], prices)
    return (*price_notes(prices, figures, now=now), *unknown)


def _hourly(
    members: Split, choices: Sequence[Decimal | None]
) -> tuple[Decimal | None, Decimal | None]:
    """Price the fleet: what is there at its launch price, what is new at the first and dearest choice."""
    standing = [a.instance.hourly_usd for a in members.assigned]
    standing += [instance.hourly_usd for instance in members.surplus]
    first = choices[0] if choices else None
    known = [price for price in choices if price is not None]
    dearest = max(known, default=None) if len(known) == len(choices) else None
    count = len(members.launch)
    return total([*standing, *([first] * count)]), total([*standing, *([dearest] * count)])
