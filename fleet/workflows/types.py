"""Finds instance types by need, with offerings and prices. Changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from fleet.aws.instance_types import describe_instance_types, describe_offerings
from fleet.aws.prices import describe_spot_prices
from fleet.plan.hardware import Needs, Offer, choose_types, meets
from fleet.plan.prices import instance_figure, known_prices, price_notes
from fleet.workflows.context import Context
from fleet.workflows.prices import read_figures


def find_types(context: Context, needs: Needs) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """Give the types of the region that meet the needs, cheapest first, and what has to be said of the prices."""
    aws = context.aws
    _ = (aws.ec2, aws.pricing)  # making clients is not thread-safe
    with ThreadPoolExecutor(2) as pool:
        asked = pool.submit(describe_offerings, aws, names=needs.patterns)
        known = describe_instance_types(aws, names=needs.patterns)
        offerings = asked.result()
        facts = {n: f for n, f in known.items() if n in offerings and meets(f, needs)}
        if not facts:
            return (), ()
        spot = pool.submit(describe_spot_prices, aws, names=list(facts))
        figures, trouble = read_figures(context, types=list(facts))
        prices = known_prices(figures, spot.result(), trouble=trouble)
    now = context.now()
    offers = choose_types(facts, offerings, prices, needs, now=now)
    shown = [instance_figure(offer.fact.name) for offer in offers]
    return offers, price_notes(prices, shown, now=now)
