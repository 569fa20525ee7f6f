"""Instance types by need: from what a spec asks for to the types that a launch may take.

Pure. Takes the spec's needs and the offers that meet them, cheapest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.pools import MARKETS
from fleet.plan.hardware.types import Needs, Offer
from fleet.spec.model import FleetSpec, Instances

MOST_TYPES = 8
"""Enough to find capacity; more would only make the plan long."""
DEARER_AT_MOST = Decimal(2)
"""Without `max_price`, a fallback may cost so many times the cheapest: one GPU of need never becomes eight."""
_MIB_PER_GIB = 1024


def needs_of(spec: FleetSpec) -> Needs:
    """Give a spec's needs: NVIDIA's GPUs, as the DLAMIs drive them.

    x86_64 alone, for which nearly every wheel is built, unless an image is named, which has its own.
    """
    instances = spec.instances
    return Needs(
        gpus=instances.gpus or 1,
        gpu_memory_mib=_mib(instances.gpu_memory_gib),
        vcpus=instances.vcpus,
        memory_mib=_mib(instances.memory_gib),
        architecture="x86_64" if spec.image.framework else None,
        manufacturer="nvidia",
        max_price=instances.max_price,
        market=_first_market(instances),
    )


def spec_with_types(spec: FleetSpec, offers: Sequence[Offer], *, region: str) -> FleetSpec:
    """Fill in the types. Raises NotFoundError where none meets the needs, FleetError where no price is known."""
    instances = spec.instances
    if not offers:
        raise NotFoundError(
            f"no instance type in {region} has {describe_needs(instances)}",
            remedy="ask for less, or choose another region: `fleet types` shows what there is",
        )
    types = _within_reason(offers, instances)
    if not types:
        raise FleetError(
            "what fits is known, and no price of it: instance types cannot be chosen by price",
            remedy=f"name them, such as types: [{offers[0].fact.name}]",
        )
    return spec.model_copy(update={"instances": instances.model_copy(update={"types": types})})


def describe_needs(instances: Instances) -> str:
    """Say the needs in words: "1 GPU of 16 GiB, 8 vCPUs, 32 GiB of memory, at most 0.60 USD an hour"."""
    gpus = instances.gpus or 1
    of = f" of {instances.gpu_memory_gib} GiB" if instances.gpu_memory_gib else ""
    parts = [f"{gpus} GPU{'s' if gpus > 1 else ''}{of}"]
    if instances.vcpus:
        parts.append(f"{instances.vcpus} vCPUs")
    if instances.memory_gib:
        parts.append(f"{instances.memory_gib} GiB of memory")
    if instances.max_price:
        parts.append(f"at most {instances.max_price} USD an hour")
    return ", ".join(parts)


def _within_reason(offers: Sequence[Offer], instances: Instances) -> tuple[str, ...]:
    market = _first_market(instances)
    priced = [(o.fact.name, price) for o in offers if (price := o.price(market)) is not None]
    if not priced:
        return ()
    most = instances.max_price or DEARER_AT_MOST * min(price for _, price in priced)
    return tuple(name for name, price in priced if price <= most)[:MOST_TYPES]


def _first_market(instances: Instances) -> Market:
    return MARKETS[instances.market][0]


def _mib(gib: int | None) -> int | None:
    return None if gib is None else gib * _MIB_PER_GIB
