"""What things cost in the sandbox: On-Demand from the tables, Spot as a deterministic share of
On-Demand.

Prices of other Regions are those of us-east-1. Pure: the time is passed in.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.sandbox.cloud.data import accelerated_types, cpu_prices

SPOT_SHARE_LOW = 0.30
SPOT_SHARE_HIGH = 0.45
SPOT_CHANGES_EVERY = timedelta(hours=1)

STORAGE_GB_MONTH = {
    "gp3": 0.08,
    "gp2": 0.10,
    "io2": 0.125,
    "io1": 0.125,
    "st1": 0.045,
    "sc1": 0.015,
}
SNAPSHOT_GB_MONTH = 0.05
GP3_IOPS_MONTH = 0.005
GP3_GIBPS_MONTH = 40.96
"""Throughput is priced per GiBps-month; 40.96 is $0.04 per MiBps."""
IO2_IOPS_MONTH = 0.065
PUBLIC_IPV4_HOUR = 0.005


@dataclass(frozen=True)
class SpotPrice:
    """The price in USD per hour that holds from `since` on."""

    instance_type: str
    availability_zone: str
    usd: float
    since: datetime


def on_demand_price(instance_type: str, vcpus: int) -> float | None:
    """USD per hour, or None where the tables do not say."""
    row = accelerated_types().get(instance_type)
    if row is not None:
        return row.price
    per_vcpu = cpu_prices().get(instance_type.split(".", maxsplit=1)[0])
    return None if per_vcpu is None else round(per_vcpu * vcpus, 6)


def _fraction(*parts: str) -> float:
    digest = hashlib.sha256("/".join(parts).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def spot_price_at(
    instance_type: str, availability_zone: str, vcpus: int, when: datetime
) -> SpotPrice | None:
    """The Spot price in effect at `when`; None for a type without a known price."""
    base = on_demand_price(instance_type, vcpus)
    if base is None:
        return None
    share = SPOT_SHARE_LOW + (SPOT_SHARE_HIGH - SPOT_SHARE_LOW) * _fraction(
        instance_type, availability_zone
    )
    since = when.replace(minute=0, second=0, microsecond=0)
    drift = 1 + 0.02 * (_fraction(instance_type, availability_zone, since.isoformat()) - 0.5)
    price = min(max(share * drift, SPOT_SHARE_LOW), SPOT_SHARE_HIGH) * base
    return SpotPrice(instance_type, availability_zone, round(price, 6), since)


def spot_price_history(
    instance_type: str, availability_zone: str, vcpus: int, start: datetime, end: datetime
) -> list[SpotPrice]:
    """The price in effect at `start` and every change until `end`, newest first."""
    history = []
    when = end
    while True:
        price = spot_price_at(instance_type, availability_zone, vcpus, when)
        if price is None:
            return []
        history.append(price)
        if price.since <= start:
            return history
        when = price.since - timedelta(seconds=1)
