"""`fleet types`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from fleet.cli.cost import saving
from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context
from fleet.errors import UsageError

if TYPE_CHECKING:
    from decimal import Decimal

    from fleet.plan.hardware import Offer

_MIB_PER_GIB = 1024
_HEADINGS = (
    "TYPE", "GPUS", "GPU", "GPU MEMORY", "VCPUS", "MEMORY", "NETWORK", "ZONES",
    "ON-DEMAND", "SPOT", "SPOT ZONE", "SAVING",
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
    market: Literal["on-demand", "spot"],
    output: str,
) -> None:
    """List instance types that a region offers, cheapest first: those with GPUs, unless --gpus 0 is asked.

    A type with a part of a GPU (g6f) counts as one GPU; the GPUS column shows which part.

    \b
    Examples:
      fleet types --gpus 1 --gpu-memory 16GiB
      fleet types --market spot --max-price 0.50
      fleet types --gpus 0 --vcpus 8 --memory 64GiB -o json
    """
    from fleet.plan.hardware import Needs, offer_as_json  # noqa: PLC0415

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
    context = open_context(options)
    from fleet.workflows.types import find_types  # noqa: PLC0415

    offers, notes = find_types(context, needs)
    if output == "json":
        found = [offer_as_json(offer) for offer in offers]
        echo_json({"region": context.aws.region, "types": found, "notes": list(notes)})
        return
    if offers:
        echo_table(_HEADINGS, [_row(offer, context.aws.region) for offer in offers])
    else:
        click.echo(f"no instance type in {context.aws.region} is like that", err=True)
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _mib(flag: str, text: str | None) -> int | None:
    from fleet.spec.refusal import RefusedError  # noqa: PLC0415
    from fleet.spec.values import parse_size  # noqa: PLC0415

    try:
        return None if text is None else parse_size(text) * _MIB_PER_GIB
    except RefusedError as refused:
        (objection,) = refused.objections
        raise UsageError(f"{flag} {objection.message}", remedy=objection.remedy) from refused


def _price(text: str | None) -> Decimal | None:
    from fleet.spec.refusal import RefusedError  # noqa: PLC0415
    from fleet.spec.values import parse_price  # noqa: PLC0415

    try:
        return None if text is None else parse_price(text)
    except RefusedError as refused:
        (objection,) = refused.objections
        raise UsageError(f"--max-price {objection.message}", remedy=objection.remedy) from refused


def _row(offer: Offer, region: str) -> tuple[str, ...]:
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
    )


def _gib(mib: int) -> str:
    return f"{mib / _MIB_PER_GIB:.1f}".removesuffix(".0") + " GiB"
