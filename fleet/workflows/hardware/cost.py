"""Estimates what a mix of instances costs. Changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from fleet.aws.prices import describe_spot_prices
from fleet.errors import AwsError
from fleet.plan.hardware.estimate import Estimate, Item, estimate
from fleet.plan.hardware.prices import instance_figure, known_prices, price_notes
from fleet.side_by_side import side_by_side
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures


def estimate_cost(context: Context, items: Sequence[Item]) -> tuple[Estimate, tuple[str, ...]]:
    """Give the estimate, and what has to be said of its prices: age, source, what is not known.

    Works without credentials and without network, as far as the snapshot goes. Raises CredentialsError or
    EndpointError for settings that cannot work.
    """
    types = sorted({item.instance_type for item in items})
    context.aws.check_settings()
    with side_by_side(2) as reads:
        asked = reads.ask(_spot, context, types)
        figures, trouble = read_figures(context, types=types)
        spot, no_spot = asked()
    prices = known_prices(figures, spot, trouble=trouble)
    now, names = context.now(), [instance_figure(name) for name in types]
    notes = [*price_notes(prices, names, now=now), *no_spot]
    notes += [
        f"{name} has no On-Demand price in {context.aws.region} that is known"
        for name in types
        if name not in prices.on_demand
    ]
    return estimate(items, prices, region=context.aws.region, now=now), tuple(notes)


def _spot(
    context: Context, types: Sequence[str]
) -> tuple[Mapping[tuple[str, str], Decimal], list[str]]:
    try:
        return describe_spot_prices(context.aws, names=types), []
    except AwsError as error:
        return {}, [f"no Spot prices: {error}"]
