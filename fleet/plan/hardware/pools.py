"""Chooses where to launch. Takes wished types, offerings, subnets and prices; gives pools in order of preference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.hardware import InstanceTypeFact, Market, PlacementFacts
from fleet.plan.facts.launch import Observed
from fleet.plan.network.subnets import Network
from fleet.spec.model import Instances

MARKETS: dict[str, tuple[Market, ...]] = {
    "on-demand": ("on-demand",),
    "spot": ("spot",),
    "spot-first": ("spot", "on-demand"),
}
TYPES_TO_SCORE_WELL = 3
"""With fewer types every Spot placement score is low (EC2 user guide, "Spot placement score")."""


@dataclass(frozen=True)
class Pool:
    """One instance type in one Availability Zone. Prices are USD per hour; None is unknown.

    `spare_subnets` are further subnets of the zone, for when the first has no free addresses.
    `spot_score` is the zone's Spot placement score, 1 to 10, for all wished types together.
    """

    instance_type: str
    availability_zone: str
    subnet_id: str
    priority: int
    on_demand_usd: Decimal | None
    spot_usd: Decimal | None
    spot_score: int | None = None
    spare_subnets: tuple[str, ...] = ()

    def price(self, market: Market) -> Decimal | None:
        """USD per hour in that market."""
        return self.spot_usd if market == "spot" else self.on_demand_usd

    def within(self, cap: Decimal | None, market: Market) -> bool:
        """Whether the price is within `instances.max_price`; Spot is capped by EC2 itself."""
        return within_cap(self.price(market), cap, market)


def within_cap(price: Decimal | None, cap: Decimal | None, market: Market) -> bool:
    """Whether a price is within `instances.max_price`; Spot is capped by EC2 itself."""
    return cap is None or market == "spot" or (price is not None and price <= cap)


def one_architecture(instances: Instances, observed: Observed) -> str:
    """Give the architecture that all wished types share, or say which types do not go together."""
    facts = [_known(name, observed) for name in instances.types]
    shared = set(facts[0].architectures).intersection(*(fact.architectures for fact in facts))
    for architecture in ("x86_64", "arm64"):
        if architecture in shared:
            return architecture
    listed = ", ".join(f"{fact.name} ({'/'.join(fact.architectures)})" for fact in facts)
    raise FleetError(
        f"instance types of different architectures cannot share an image: {listed}",
        remedy="keep types of one architecture under instances.types",
    )


def choose_pools(instances: Instances, network: Network, observed: Observed) -> tuple[Pool, ...]:
    """Give every (type, zone) that the region offers and a subnet reaches: types in the spec's order,
    zones by the free addresses of their subnets.
    """
    pools = tuple(
        Pool(
            instance_type=name,
            availability_zone=subnet.availability_zone,
            subnet_id=subnet.subnet_id,
            priority=priority,
            on_demand_usd=observed.prices.on_demand.get(name),
            spot_usd=observed.prices.spot.get((name, subnet.availability_zone)),
            spot_score=observed.placement.scores.get(subnet.zone_id),
            spare_subnets=network.spares.get(subnet.availability_zone, ()),
        )
        for priority, name in enumerate(instances.types)
        for subnet in network.subnets
        if subnet.availability_zone in observed.offerings.get(name, frozenset())
    )
    if not pools:
        raise not_offered(instances, observed.region)
    return pools


def not_offered(instances: Instances, region: str) -> NotFoundError:
    """The error of a spec whose types the region has none of."""
    return NotFoundError(
        f"{' and '.join(instances.types)}: not offered in {region}",
        remedy="choose other instance types or another region",
    )


def nothing_within_cap(instances: Instances, on_demand: Mapping[str, Decimal | None]) -> FleetError:
    """The error of a price cap that leaves nothing to launch; `on_demand` are the prices of what is offered."""
    unknown = [name for name, price in on_demand.items() if price is None]
    if unknown:
        return FleetError(
            f"instances.max_price {instances.max_price} cannot be held: "
            f"the On-Demand price of {' and '.join(unknown)} is not known",
            remedy="remove max_price, or name instance types whose price is known",
        )
    return FleetError(
        f"instances.max_price {instances.max_price} is below the price of every instance type in the spec",
        remedy="raise max_price, or name cheaper types",
    )


def placement_notes(instances: Instances, placement: PlacementFacts) -> tuple[str, ...]:
    """Say what the Spot placement scores mean, or why there are none; nothing where Spot is not asked for."""
    if "spot" not in MARKETS[instances.market]:
        return ()
    if not placement.scores:
        why = placement.unread or "EC2 gives none"
        return (f"Spot placement scores are unknown: {why}",)
    if len(instances.types) < TYPES_TO_SCORE_WELL:
        return ("fewer than three instance types always score low",)
    return ()


def _known(name: str, observed: Observed) -> InstanceTypeFact:
    fact = observed.instance_types.get(name)
    if fact is None:
        raise NotFoundError(
            f"instance type {name} does not exist in {observed.region}",
            remedy="correct instances.types, or choose another region",
        )
    return fact
