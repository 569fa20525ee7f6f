"""Chooses instance types by need, cheapest first. Takes what EC2 offers and what it costs.

Pure. A price that is not known comes last, and never fits under a highest price.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fleet.plan.facts.hardware import MARKET_NAMES, InstanceTypeFact, Market, Prices
from fleet.plan.hardware.prices import dated, instance_figure, lowest_spot
from fleet.plan.hardware.quota_codes import QuotaFamily, family_of
from fleet.plan.money import as_number

GPU_FAMILIES = ("g*", "p*", "dl1*")
"""Types with GPUs begin so: EC2 filters by name, not by GPU, and describes 1,200 types otherwise."""


@dataclass(frozen=True)
class Needs:
    """What a type must have at least; None asks for nothing. `gpus` 0 asks for types without a GPU.

    A part of a GPU (g6f) counts as one; its memory tells it apart.
    """

    gpus: int | None = None
    gpu_memory_mib: int | None = None
    vcpus: int | None = None
    memory_mib: int | None = None
    architecture: str | None = None
    manufacturer: str | None = None
    max_price: Decimal | None = None
    market: Market = "on-demand"

    @property
    def patterns(self) -> tuple[str, ...]:
        """Names of the types to ask EC2 for."""
        return ("*",) if self.gpus == 0 else GPU_FAMILIES


@dataclass(frozen=True)
class Offer:
    """A type that fits: where it is offered, and USD per hour, On-Demand and the lowest Spot with its zone."""

    fact: InstanceTypeFact
    zones: tuple[str, ...]
    on_demand_usd: Decimal | None
    spot_usd: Decimal | None
    spot_zone: str
    price_date: str

    def price(self, market: Market) -> Decimal | None:
        """USD per hour in that market."""
        return self.spot_usd if market == "spot" else self.on_demand_usd

    @property
    def quota_family(self) -> QuotaFamily | None:
        """Types that share a vCPU quota with it; None where that is not known."""
        return family_of(self.fact.name)

    @property
    def saving(self) -> Decimal | None:
        """What Spot saves, as a share of On-Demand."""
        if self.on_demand_usd is None or self.spot_usd is None:
            return None
        return 1 - self.spot_usd / self.on_demand_usd


def choose_types(
    facts: Mapping[str, InstanceTypeFact],
    offerings: Mapping[str, frozenset[str]],
    prices: Prices,
    needs: Needs,
    *,
    now: datetime,
) -> tuple[Offer, ...]:
    """Give the types that are offered and meet the needs, by price in the wanted market."""
    offers = [
        _offer(fact, offerings[name], prices, now=now)
        for name, fact in facts.items()
        if offerings.get(name) and meets(fact, needs)
    ]
    within = [offer for offer in offers if _affordable(offer.price(needs.market), needs.max_price)]
    return tuple(sorted(within, key=lambda offer: _order(offer, needs.market)))


def meets(fact: InstanceTypeFact, needs: Needs) -> bool:
    """Whether a type has what is needed, apart from its price."""
    if (needs.gpus == 0) != (fact.gpus == 0):
        return False
    asked = (
        (needs.gpus, fact.gpus),
        (needs.gpu_memory_mib, fact.gpu_memory_mib),
        (needs.vcpus, fact.vcpus),
        (needs.memory_mib, fact.memory_mib),
    )
    return (
        all(least is None or least <= there for least, there in asked)
        and (needs.architecture is None or needs.architecture in fact.architectures)
        and (needs.manufacturer or fact.manufacturer).lower() == fact.manufacturer.lower()
    )


def unpriced(
    facts: Mapping[str, InstanceTypeFact], prices: Prices, needs: Needs
) -> tuple[str, ...]:
    """Say how many types that fit otherwise a highest price leaves out because their price is not known."""
    priced = prices.on_demand.keys() if needs.market == "on-demand" else {n for n, _ in prices.spot}
    count = len(facts.keys() - priced)
    if needs.max_price is None or not count:
        return ()
    return (
        f"of what fits otherwise {count} left out: no {MARKET_NAMES[needs.market]} price known",
    )


def _affordable(price: Decimal | None, most: Decimal | None) -> bool:
    return most is None or (price is not None and price <= most)


def _order(offer: Offer, market: Market) -> tuple[bool, Decimal, str]:
    price = offer.price(market)
    return price is None, price or Decimal(0), offer.fact.name


def _offer(
    fact: InstanceTypeFact, zones: frozenset[str], prices: Prices, *, now: datetime
) -> Offer:
    spot, zone = lowest_spot(fact.name, prices)
    figure = prices.figures.get(instance_figure(fact.name))
    on_demand = prices.on_demand.get(fact.name)
    return Offer(fact, tuple(sorted(zones)), on_demand, spot, zone, dated(figure, now))


def offer_as_json(offer: Offer, market: Market) -> dict[str, object]:
    """Give one type as JSON, with its quota in one market; null where a price or the quota is not known."""
    fact, family = offer.fact, offer.quota_family
    return {
        "instance_type": fact.name,
        "gpus": fact.gpus,
        "gpu_share": float(fact.gpu_share) if fact.gpus else None,
        "gpu": fact.gpu_name,
        "manufacturer": fact.manufacturer,
        "gpu_memory_mib": fact.gpu_memory_mib,
        "vcpus": fact.vcpus,
        "memory_mib": fact.memory_mib,
        "architectures": list(fact.architectures),
        "network": fact.network,
        "availability_zones": list(offer.zones),
        "on_demand_usd": as_number(offer.on_demand_usd),
        "spot_usd": as_number(offer.spot_usd),
        "spot_availability_zone": offer.spot_zone or None,
        "spot_saving": as_number(offer.saving),
        "price_date": offer.price_date,
        "quota_family": family and family.name,
        "quota_codes": list(family.codes(market)) if family else [],
    }
