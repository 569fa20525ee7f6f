"""Reads prices: from the cache while they are fresh, from the Price List, else from what is known with its date."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from fleet.assets.cache import PriceCache
from fleet.assets.shipped import load_price_snapshot
from fleet.aws.prices import describe_on_demand_prices, describe_rates
from fleet.errors import AwsError
from fleet.plan.facts.hardware import Figure
from fleet.plan.hardware.prices import RATES, fresh, instance_figure
from fleet.side_by_side import side_by_side
from fleet.workflows.context import Context

Figures = Mapping[str, Figure]


def read_figures(
    context: Context, *, types: Sequence[str], rates: bool = False
) -> tuple[Figures, str]:
    """Give the figures of types, and the rates of volumes and addresses too if asked.

    The text says why the Price List could not be read, and is empty when it was, or was not needed.
    Never raises for want of a price: what is not known is left out.
    """
    cache = PriceCache(context.settings.cache_root, context.aws.region)
    kept, now = cache.read(), context.now()
    wanted = {instance_figure(name) for name in types} | (RATES if rates else frozenset())
    missing = {name for name in wanted if not fresh(kept.get(name), now)}
    if not missing:
        return {name: kept[name] for name in wanted}, ""
    try:
        read = _read(context, missing)
    except AwsError as error:
        return _known(context.aws.region, kept, wanted), str(error)
    new = {name: Figure(read.get(name), now) for name in missing | read.keys()}
    figures = {**kept, **new}
    cache.write(figures)
    return {name: figures[name] for name in wanted}, ""


def _read(context: Context, missing: Collection[str]) -> Mapping[str, Decimal]:
    aws = context.aws
    names = sorted(n.removeprefix("instance/") for n in missing if n not in RATES)
    with side_by_side(2) as reads:
        rates = reads.ask(describe_rates, aws) if RATES & set(missing) else None
        prices = describe_on_demand_prices(aws, names=names) if names else {}
        found = {instance_figure(name): usd for name, usd in prices.items()}
        return {**found, **(rates() if rates else {})}


def _known(region: str, kept: Figures, wanted: Collection[str]) -> Figures:
    """What was read before, however old, else what the snapshot has of this region."""
    known = {**load_price_snapshot().get(region, {}), **kept}
    return {name: known[name] for name in wanted if name in known}
