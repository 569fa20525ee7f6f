"""Says what stands of a fleet when a command ends early, with its price and the commands that go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from fleet.cli.output import usd
from fleet.errors import FleetError

if TYPE_CHECKING:
    from fleet.plan.launch.plan import Plan
    from fleet.workflows.context import Context


@dataclass(frozen=True)
class Offers:
    """The commands that go on from here, as they are offered."""

    again: str
    down: str
    handout: str


def echo_partial_fleet(context: Context, plan: Plan, offers: Offers) -> None:
    """Say on stderr how many instances of a plan's fleet run, what they cost, and which commands go on."""
    from fleet.workflows.launch.partial import describe_partial_fleet

    try:
        found = describe_partial_fleet(context, plan)
    except FleetError as error:
        click.echo(f"what exists could not be read ({error}); `fleet ls` shows it", err=True)
        return
    if not found.anything:
        return
    cost = f" ({usd(found.hourly_usd)})" if found.running else ""
    yet = "; a launch was sent whose answer was not heard" if found.unanswered else ""
    click.echo(
        f"{found.running} instances of {plan.fleet} run{cost}{yet}: "
        f"{offers.again} goes on, {offers.down} takes all away",
        err=True,
    )
