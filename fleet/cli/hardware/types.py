"""`fleet types`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet.cli.hardware.cost import saving
from fleet.cli.options import output_option, parse_flag
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context
from fleet.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from fleet.plan.facts.hardware import Market
    from fleet.plan.hardware.types import Offer
    from fleet.spec.model import ImageSelector

_MIB_PER_GIB = 1024
_HEADINGS = (
    "TYPE", "GPUS", "GPU", "GPU MEMORY", "VCPUS", "MEMORY", "NETWORK", "ZONES",
    "ON-DEMAND", "SPOT", "SPOT ZONE", "SAVING", "QUOTA",
)  # fmt: skip


@click.command("types", short_help="Find instance types by need, with prices.")
@click.option("--gpus", type=click.IntRange(min=0), metavar="N", help="At least N; 0: without GPU.")
@click.option("--gpu-memory", metavar="16GiB", help="At least so much memory in each GPU.")
@click.option("--vcpus", type=click.IntRange(min=1), metavar="N", help="At least N vCPUs.")
@click.option("--memory", metavar="64GiB", help="At least so much memory.")
@click.option("--arch", type=click.Choice(("x86_64", "arm64")), help="Architecture.")
@click.option("--manufacturer", metavar="NAME", help="Of the GPU, such as nvidia.")
@click.option(
    "--max-price", metavar="USD", help="At most so much an hour, in the market asked for."
)
@click.option(
    "--market",
    type=click.Choice(("on-demand", "spot")),
    default="on-demand",
    show_default=True,
    help="Whose price sorts, and is held against --max-price.",
)
@click.option(
    "--image",
    metavar="F|AMI",
    help="Only what can run this image: pytorch, tensorflow, mxnet, base, or an AMI id.",
)
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    gpus: int | None,
    gpu_memory: str | None,
    vcpus: int | None,
    memory: str | None,
    arch: str | None,
    manufacturer: str | None,
    max_price: str | None,
    market: Market,
    image: str | None,
    output: str,
) -> None:
    """List instance types that a region offers, cheapest first: those with GPUs, unless --gpus 0 is asked.

    A type with a part of a GPU (g6f) counts as one GPU; the GPUS column shows which part.

    \b
    Examples:
      fleet types --gpus 1 --gpu-memory 16GiB
      fleet types --market spot --max-price 0.50
      fleet types --gpus 0 --vcpus 8 --memory 64GiB -o json
      fleet types --image pytorch --arch arm64
    """
    from fleet.plan.hardware.types import Needs, offer_as_json

    needs = Needs(
        gpus=gpus,
        gpu_memory_mib=_mib("--gpu-memory", gpu_memory),
        vcpus=vcpus,
        memory_mib=_mib("--memory", memory),
        architecture=arch,
        manufacturer=manufacturer,
        max_price=_price(max_price),
        market=market,
    )
    selector = _image(image)
    context = open_context(options)
    from fleet.workflows.hardware.types import find_types

    offers, notes = find_types(context, needs, image=selector)
    if output == "json":
        found = [offer_as_json(offer, market) for offer in offers]
        echo_json({"region": context.aws.region, "types": found, "notes": list(notes)})
        return
    if offers:
        echo_table(_HEADINGS, [_row(offer, context.aws.region, market) for offer in offers])
    else:
        click.echo(f"no instance type in {context.aws.region} is like that", err=True)
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _mib(flag: str, text: str | None) -> int | None:
    from fleet.spec.values import parse_size

    gib = parse_flag(flag, text, parse_size)
    return None if gib is None else gib * _MIB_PER_GIB


def _price(text: str | None) -> Decimal | None:
    from fleet.spec.values import parse_price

    return parse_flag("--max-price", text, parse_price)


def _image(text: str | None) -> ImageSelector | None:
    from fleet.spec.model import ImageSelector
    from fleet.spec.refusal import shown

    if text is None:
        return None
    try:
        given = "id" if text.startswith("ami-") else "framework"
        return ImageSelector.model_validate({given: text})
    except ValueError as error:
        raise UsageError(
            f"--image {shown(text)} is neither a framework nor an AMI id",
            remedy="write pytorch, tensorflow, mxnet or base, or an id like ami-0123456789abcdef0",
        ) from error


def _quota(offer: Offer, market: Market) -> str:
    family = offer.quota_family
    if family is None:
        return "not known"
    return f"{family.name} ({' or '.join(family.codes(market)) or 'none'})"


def _row(offer: Offer, region: str, market: Market) -> tuple[str, ...]:
    fact = offer.fact
    count = str(fact.gpus) if fact.gpu_share == 1 else f"{fact.gpu_share.normalize()}"
    maker = "" if fact.manufacturer == "NVIDIA" else f"{fact.manufacturer} "
    date = f" {offer.price_date}" if offer.price_date else ""
    return (
        fact.name,
        count,
        f"{maker}{fact.gpu_name}",
        _gib(fact.gpu_memory_mib) if fact.gpus else "",
        str(fact.vcpus),
        _gib(fact.memory_mib),
        fact.network,
        ",".join(zone.removeprefix(region) for zone in offer.zones),
        usd(offer.on_demand_usd, digits=4) + date,
        usd(offer.spot_usd, digits=4),
        offer.spot_zone,
        saving(offer.on_demand_usd, offer.spot_usd),
        _quota(offer, market),
    )


def _gib(mib: int) -> str:
    return f"{mib / _MIB_PER_GIB:.1f}".removesuffix(".0") + " GiB"
