"""Finds instance types by need, with offerings and prices, and names those of a spec. Changes nothing."""

from __future__ import annotations

from fleet.assets.shipped import load_catalogue
from fleet.aws.instance_types import describe_instance_types, describe_offerings
from fleet.aws.prices import describe_spot_prices
from fleet.plan.hardware.needs import needs_of, spec_with_types
from fleet.plan.hardware.prices import instance_figure, known_prices, price_notes
from fleet.plan.hardware.types import Needs, Offer, choose_types, meets, unpriced
from fleet.plan.images.for_types import choose_images
from fleet.side_by_side import side_by_side
from fleet.spec.model import FleetSpec, ImageSelector
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.images.listing import describe_candidates


def find_types(
    context: Context, needs: Needs, *, image: ImageSelector | None = None
) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    """Give the types of the region that meet the needs, cheapest first, and what has to be said of the prices.

    With `image` only those that the image can run on; the notes then say which image that is. Raises
    NotFoundError where there is no such image.
    """
    aws, now = context.aws, context.now()
    with side_by_side(2) as reads:
        asked = reads.ask(describe_offerings, aws, names=needs.patterns)
        shown = reads.ask(describe_candidates, aws, image) if image else None
        known = describe_instance_types(aws, names=needs.patterns)
        offerings = asked()
        facts = {n: f for n, f in known.items() if n in offerings and meets(f, needs)}
        notes: tuple[str, ...] = ()
        if image and shown:
            images = choose_images(
                image,
                shown(),
                load_catalogue(),
                architecture=needs.architecture,
                now=now,
            )
            facts, notes = {n: f for n, f in facts.items() if images.drive(f)}, images.notes
        if not facts:
            return (), notes
        spot = reads.ask(describe_spot_prices, aws, names=list(facts))
        figures, trouble = read_figures(context, types=list(facts))
        prices = known_prices(figures, spot(), trouble=trouble)
    offers = choose_types(facts, offerings, prices, needs, now=now)
    priced = [instance_figure(offer.fact.name) for offer in offers]
    left_out = unpriced(facts, prices, needs)
    return offers, (*notes, *price_notes(prices, priced, now=now), *left_out)


def settle_types(context: Context, spec: FleetSpec) -> FleetSpec:
    """Give the spec with its instance types named: those that meet its needs, where it has needs."""
    if not spec.instances.by_need:
        return spec
    offers, _ = find_types(context, needs_of(spec), image=spec.image)
    return spec_with_types(spec, offers, region=context.aws.region)
