"""Reads items such as `2xp2.xlarge:24h` or `g5.xlarge:8h:spot=60%`, and prices them and their sum.

Pure, in Decimal, USD. What has no known price stays unknown, in its item and in the sum.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from fleet.errors import UsageError
from fleet.plan.facts.hardware import Market, Prices
from fleet.plan.hardware.cost import for_hours
from fleet.plan.hardware.prices import dated, instance_figure, lowest_spot
from fleet.plan.money import as_number, total
from fleet.spec.refusal import RefusedError, shown
from fleet.spec.values import parse_duration

_ITEM = re.compile(
    r"(?:(?P<count>[0-9]{1,5})x)?(?P<type>[a-z][a-z0-9-]*\.[a-z0-9-]+):(?P<time>[0-9a-z]+)"
    r"(?P<spot>:spot(?:=(?P<saving>[0-9]{1,3}(?:\.[0-9]{1,2})?)%)?)?"
)
_FORM = "write it like 2xp2.xlarge:24h, 1xm6i.large:720h:spot or g5.xlarge:8h:spot=60%"


@dataclass(frozen=True)
class Item:
    """So many instances of a type, for so long each. `saving` is an assumed one of Spot, as a share of 1."""

    text: str
    count: int
    instance_type: str
    duration: timedelta
    market: Market = "on-demand"
    saving: Decimal | None = None


def parse_item(text: str) -> Item:
    """Read `[Nx]TYPE:TIME[:spot[=PERCENT%]]`. Raises UsageError with the remedy."""
    found = _ITEM.fullmatch(text)
    if not found:
        raise UsageError(f"{shown(text)} is not an item of an estimate", remedy=_FORM)
    count, saving = int(found["count"] or 1), found["saving"]
    if count < 1:
        raise UsageError(f"{shown(text)} asks for no instance", remedy=_FORM)
    if saving is not None and Decimal(saving) > 100:
        raise UsageError(f"{shown(text)} saves more than all", remedy="write 100% or less")
    return Item(
        text=text,
        count=count,
        instance_type=found["type"],
        duration=_duration(text, found["time"]),
        market="spot" if found["spot"] else "on-demand",
        saving=None if saving is None else Decimal(saving) / 100,
    )


def _duration(text: str, time: str) -> timedelta:
    try:
        duration = parse_duration(time)
    except RefusedError as refused:
        raise UsageError(f"{shown(text)}: {time} is not a time", remedy=_FORM) from refused
    if not duration:
        raise UsageError(f"{shown(text)} lasts no time", remedy=_FORM)
    return duration


@dataclass(frozen=True)
class Line:
    """An item with its prices: USD per hour of one instance, and for the whole item.

    `usd` is what the item costs in the market that it names. `date` is empty where the price is fresh.
    """

    item: Item
    on_demand_hourly: Decimal | None
    spot_hourly: Decimal | None
    on_demand_usd: Decimal | None
    spot_usd: Decimal | None
    date: str

    @property
    def usd(self) -> Decimal | None:
        """What the item costs as it was asked for."""
        return self.spot_usd if self.item.market == "spot" else self.on_demand_usd


@dataclass(frozen=True)
class Estimate:
    """Priced items and their sums in USD: as asked, all On-Demand, and all Spot."""

    region: str
    lines: tuple[Line, ...]

    @property
    def usd(self) -> Decimal | None:
        """The sum as it was asked for."""
        return total(line.usd for line in self.lines)

    @property
    def on_demand_usd(self) -> Decimal | None:
        """The sum if all were On-Demand."""
        return total(line.on_demand_usd for line in self.lines)

    @property
    def spot_usd(self) -> Decimal | None:
        """The sum if all were Spot."""
        return total(line.spot_usd for line in self.lines)


def estimate(items: Sequence[Item], prices: Prices, *, region: str, now: datetime) -> Estimate:
    """Price the items. Spot is the lowest zone's price now, or what an assumed saving leaves."""
    return Estimate(region, tuple(_line(item, prices, now=now) for item in items))


def _line(item: Item, prices: Prices, *, now: datetime) -> Line:
    on_demand = prices.on_demand.get(item.instance_type)
    spot = _spot(item, on_demand, prices)
    each = [for_hours(hourly, item.duration) for hourly in (on_demand, spot)]
    whole = [None if usd is None else usd * item.count for usd in each]
    figure = prices.figures.get(instance_figure(item.instance_type))
    return Line(item, on_demand, spot, whole[0], whole[1], dated(figure, now))


def _spot(item: Item, on_demand: Decimal | None, prices: Prices) -> Decimal | None:
    if item.saving is not None:
        return None if on_demand is None else on_demand * (1 - item.saving)
    return lowest_spot(item.instance_type, prices)[0]


def estimate_as_json(found: Estimate, notes: Sequence[str]) -> dict[str, object]:
    """Give the estimate as JSON; null where a price is not known."""
    return {
        "region": found.region,
        "items": [_line_as_json(line) for line in found.lines],
        "usd": as_number(found.usd),
        "on_demand_usd": as_number(found.on_demand_usd),
        "spot_usd": as_number(found.spot_usd),
        "notes": list(notes),
    }


def _line_as_json(line: Line) -> dict[str, object]:
    item = line.item
    return {
        "item": item.text,
        "count": item.count,
        "instance_type": item.instance_type,
        "hours": item.duration.total_seconds() / 3600,
        "market": item.market,
        "assumed_spot_saving": as_number(item.saving),
        "on_demand_hourly_usd": as_number(line.on_demand_hourly),
        "spot_hourly_usd": as_number(line.spot_hourly),
        "on_demand_usd": as_number(line.on_demand_usd),
        "spot_usd": as_number(line.spot_usd),
        "usd": as_number(line.usd),
        "price_date": line.date,
    }
