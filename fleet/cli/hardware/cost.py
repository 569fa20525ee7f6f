"""`fleet cost`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context

if TYPE_CHECKING:
    from fleet.plan.hardware.estimate import Line


@click.group("cost", short_help="Estimate what instances cost.")
def command() -> None:
    """Say what something costs before it is launched."""


@command.command("estimate", short_help="Price any mix of instances.")
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@output_option("table", "json")
@click.pass_obj
def estimate(options: Globals, *, items: tuple[str, ...], output: str) -> None:
    """Price any mix of instances, per item and in sum, On-Demand against Spot.

    An ITEM is [Nx]TYPE:TIME, with :spot for the Spot price of now, or :spot=60% for an assumed
    saving. Instances alone: `fleet plan SPEC` adds volumes and public addresses.

    \b
    Examples:
      fleet cost estimate 2xp2.xlarge:24h 1xm6i.large:720h
      fleet cost estimate 20xg5.xlarge:8h:spot
      fleet cost estimate 2xp2.xlarge:24h:spot=60% 1xm6i.large:720h -o json
    """
    from fleet.plan.hardware.estimate import estimate_as_json, parse_item

    wanted = [parse_item(text) for text in items]
    context = open_context(options)
    from fleet.workflows.hardware.cost import estimate_cost

    found, notes = estimate_cost(context, wanted)
    if output == "json":
        echo_json(estimate_as_json(found, notes))
        return
    rows = [_row(line) for line in found.lines]
    rows.append(("sum", "", *map(_sum, (found.on_demand_usd, found.spot_usd)), "", _sum(found.usd)))
    echo_table(("ITEM", "PRICE", "ON-DEMAND", "SPOT", "SAVING", "COST"), rows)
    for note in notes:
        click.echo(f"note: {note}", err=True)


def _row(line: Line) -> tuple[str, ...]:
    price = usd(line.on_demand_hourly, digits=4) + (f" {line.date}" if line.date else "")
    return (
        line.item.text,
        price,
        _sum(line.on_demand_usd),
        _sum(line.spot_usd),
        saving(line.on_demand_hourly, line.spot_hourly),
        _sum(line.usd),
    )


def _sum(value: Decimal | None) -> str:
    return usd(value, per="")


def saving(on_demand: Decimal | None, spot: Decimal | None) -> str:
    """Write what Spot saves, in per cent of On-Demand."""
    if on_demand is None or spot is None:
        return ""
    return f"{(1 - spot / on_demand) * 100:.0f}%"
