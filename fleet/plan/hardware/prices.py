"""What AWS charges, as dated figures: their names, their age, and what a volume or an address costs an hour.

Pure. A figure that is not known stays unknown in every sum: None is never taken for zero.

    instance/TYPE       USD per hour, On-Demand
    volume/KIND         USD per GiB and month
    iops/KIND[/TIER]    USD per provisioned IOPS and month
    throughput/KIND     USD per MiB/s and month
    address             USD per hour of a public IPv4 address
    snapshot            USD per GiB and month that an EBS snapshot stores
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from fleet.plan.facts.hardware import MARKET_NAMES, Figure, Market, Prices
from fleet.spec.model import Volume

DAY = timedelta(days=1)
HOURS_PER_MONTH = 720
"""EBS bills by the second against a month of 30 days (EBS pricing page, examples)."""
GP3_INCLUDED = {"iops": 3000, "throughput": 125}
IO2_TIERS = (32000, 64000)
"""Up to so many provisioned IOPS the first and the second rate of io2 hold."""

RATES = frozenset(
    {"address", "snapshot", "throughput/gp3"}
    | {f"volume/{kind}" for kind in ("gp3", "gp2", "io1", "io2")}
    | {f"iops/{kind}" for kind in ("gp3", "io1", "io2", "io2/2", "io2/3")}
)
"""Names of all figures that are no instance's."""


def instance_figure(instance_type: str) -> str:
    """Name the figure of an instance type."""
    return f"instance/{instance_type}"


def known_prices(
    figures: Mapping[str, Figure], spot: Mapping[tuple[str, str], Decimal], *, trouble: str = ""
) -> Prices:
    """Sort figures into On-Demand prices by type and rates by name, leaving out what has no price."""
    priced = {name: figure.usd for name, figure in figures.items() if figure.usd is not None}
    types = {n.removeprefix("instance/"): u for n, u in priced.items() if n.startswith("instance/")}
    rates = {name: usd for name, usd in priced.items() if name in RATES}
    return Prices(types, spot, rates=rates, figures=figures, trouble=trouble)


def lowest_spot(instance_type: str, prices: Prices) -> tuple[Decimal | None, str]:
    """Give the lowest Spot price of a type and its Availability Zone; None and nothing where there is none."""
    found = [(usd, zone) for (name, zone), usd in prices.spot.items() if name == instance_type]
    return min(found, default=(None, ""))


def fresh(figure: Figure | None, now: datetime) -> bool:
    """Whether a figure was read within a day."""
    return figure is not None and not figure.snapshot and timedelta(0) <= now - figure.at < DAY


def dated(figure: Figure | None, now: datetime) -> str:
    """Say how old a figure is, where that matters: its date from the snapshot, its age past an hour."""
    if figure is None or figure.usd is None:
        return ""
    if figure.snapshot:
        return f"of {figure.at.date()}"
    age = now - figure.at
    return "" if age < timedelta(hours=1) else f"read {int(age.total_seconds()) // 3600} h ago"


def price_notes(prices: Prices, names: Iterable[str], *, now: datetime) -> tuple[str, ...]:
    """Say once what holds for the named figures: why the Price List gave none, and how old what stands for it is."""
    figures = [figure for name in names if (figure := prices.figures.get(name))]
    snapshot = sorted({figure.at.date() for figure in figures if figure.snapshot})
    ages = sorted({text for f in figures if not f.snapshot and (text := dated(f, now))})
    notes = []
    if prices.trouble:
        notes.append(f"no prices from the Price List: {prices.trouble}")
    if snapshot:
        dates = " and ".join(str(day) for day in snapshot)
        notes.append(f"prices of {dates}, from the snapshot that ships with fleet")
    if ages:
        notes.append(f"On-Demand prices {', '.join(ages)}")
    return tuple(notes)


def unknown_notes(
    types: Iterable[str], markets: Iterable[Market], prices: Prices
) -> tuple[str, ...]:
    """Say of which types no price is known in a market that is asked for."""
    names = list(dict.fromkeys(types))
    known = {"on-demand": prices.on_demand.keys(), "spot": {name for name, _ in prices.spot}}
    lacking = {market: [n for n in names if n not in known[market]] for market in markets}
    return tuple(
        f"no {MARKET_NAMES[market]} price of {' and '.join(each)} is known"
        for market, each in lacking.items()
        if each
    )


def volume_figures(volume: Volume) -> tuple[str, ...]:
    """Name the figures that the price of a volume is made of."""
    return tuple(name for name, _ in _volume_parts(volume))


def volume_hourly(volume: Volume, rates: Mapping[str, Decimal]) -> Decimal | None:
    """USD per hour of one volume with its provisioned IOPS and throughput; None where a rate is unknown."""
    parts = [(rates.get(name), amount) for name, amount in _volume_parts(volume)]
    month = Decimal(0)
    for rate, amount in parts:
        if rate is None:
            return None
        month += rate * amount
    return month / HOURS_PER_MONTH


def _volume_parts(volume: Volume) -> Iterable[tuple[str, int]]:
    """The name of each rate with the amount that is billed at it."""
    yield f"volume/{volume.type}", volume.size_gib
    iops = volume.iops or 0
    if volume.type == "gp3":
        for kind, amount in (("iops", iops), ("throughput", volume.throughput or 0)):
            if amount > GP3_INCLUDED[kind]:
                yield f"{kind}/gp3", amount - GP3_INCLUDED[kind]
    elif volume.type == "io1":
        yield "iops/io1", iops
    elif volume.type == "io2":
        low, high = IO2_TIERS
        yield "iops/io2", min(iops, low)
        if iops > low:
            yield "iops/io2/2", min(iops, high) - low
        if iops > high:
            yield "iops/io2/3", iops - high
