"""Counts what things cost: a planned fleet an hour, and any mix of instances for any time.

Pure, in Decimal, USD. None is unknown, and makes every sum that it is part of unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from fleet.plan.hardware.prices import volume_hourly
from fleet.plan.money import total
from fleet.spec.model import Volume


def for_hours(hourly: Decimal | None, duration: timedelta) -> Decimal | None:
    """Give the price of so long a time."""
    if hourly is None:
        return None
    return hourly * Decimal(int(duration.total_seconds())) / 3600


@dataclass(frozen=True)
class FleetCost:
    """USD per hour of a fleet of `count` environments, by part.

    `instances` is at the first choice of pool, `instances_at_most` at the dearest. Volumes are priced as
    the spec has them, and each environment has one public address, or none.
    """

    count: int
    instances: Decimal | None
    instances_at_most: Decimal | None
    volumes: Decimal | None
    addresses: Decimal | None

    @property
    def hourly(self) -> Decimal | None:
        """The whole fleet, at the first choice."""
        return total((self.instances, self.volumes, self.addresses))

    @property
    def hourly_at_most(self) -> Decimal | None:
        """The whole fleet, at the dearest choice."""
        return total((self.instances_at_most, self.volumes, self.addresses))

    def each(self, whole: Decimal | None) -> Decimal | None:
        """Share a sum out among the environments."""
        return None if whole is None or not self.count else whole / self.count


def fleet_cost(
    *,
    count: int,
    instances: Decimal | None,
    instances_at_most: Decimal | None,
    volume: Volume,
    rates: Mapping[str, Decimal],
    public: bool = True,
) -> FleetCost:
    """Add to the instances' price that of their volumes, and of their addresses where these are public."""
    disk = volume_hourly(volume, rates)
    address = rates.get("address") if public else Decimal(0)
    return FleetCost(
        count=count,
        instances=instances,
        instances_at_most=instances_at_most,
        volumes=None if disk is None else disk * count,
        addresses=None if address is None else address * count,
    )
