"""`fleet up`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.interrupts import interruptible
from fleet.cli.launch.partial_view import Offers, echo_partial_fleet
from fleet.cli.launch.planning import echo_as_result, make_plan
from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import usd
from fleet.cli.session import Globals, open_context
from fleet.cli.spec_flags import Flags, flag_options, read_wanted
from fleet.errors import EXIT_DONE, EXIT_PARTLY, FleetError, UsageError

if TYPE_CHECKING:
    from fleet.plan.environment.report import FleetReport
    from fleet.plan.launch.plan import Plan
    from fleet.workflows.context import Context


@click.command("up", short_help="Launch a fleet from a spec, or bring it to its spec.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@yes_option
@flag_options
@click.option(
    "--wait-for-capacity",
    metavar="30m",
    help="Keep trying so long where EC2 has none left; what came is made ready meanwhile.",
)
@click.option(
    "--ready-within",
    metavar="15m",
    help="Give an environment up that is not ready so long after its instance runs; the others go on.",
)
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    spec: Path,
    flags: Flags,
    dry_run: bool,
    yes: bool,
    wait_for_capacity: str | None,
    ready_within: str | None,
    output: str,
) -> int:
    """Launch the fleet that SPEC describes, bootstrap every environment, prove it, and print its URLs.

    Run it again at any time: what is there is kept, what is missing is added. Flags take the place of
    what the spec says.

    \b
    Examples:
      fleet up workshop.yaml
      fleet up workshop.yaml --dry-run
      fleet up workshop.yaml --market spot-first --expires 4h --yes -o json
      fleet up workshop.yaml --min 18 --wait-for-capacity 30m --ready-within 15m
    """
    capacity = _seconds("--wait-for-capacity", wait_for_capacity) or 0
    ready = _seconds("--ready-within", ready_within)
    wanted = read_wanted(options, spec, flags)
    opened = open_context(options, spec_region=wanted.region)
    deadlines = dataclasses.replace(
        opened.deadlines, capacity=capacity, ready=ready or opened.deadlines.ready
    )
    context = dataclasses.replace(opened, deadlines=deadlines)
    plan = make_plan(context, wanted, spec)
    if dry_run:
        echo_as_result(context, plan, output)
        return EXIT_DONE
    _ask(context, plan, yes=yes, options=options)
    offers = Offers(
        again=f"`{options.command} up {spec}`",
        down=f"`{options.command} down {plan.fleet}`",
        handout=f"`{options.command} handout {plan.fleet} --out {plan.fleet}`",
    )
    report = _apply(context, plan, offers)
    _echo_result(report, plan, offers, output)
    return _exit_code(report, wanted.min_ready)


def _seconds(flag: str, duration: str | None) -> float | None:
    from fleet.spec.refusal import RefusedError
    from fleet.spec.values import parse_duration

    try:
        return None if duration is None else parse_duration(duration).total_seconds()
    except RefusedError as refused:
        (objection,) = refused.objections
        message = f"{flag} {objection.message}"
        raise UsageError(message, remedy=objection.remedy) from refused


def _ask(context: Context, plan: Plan, *, yes: bool, options: Globals) -> None:
    from fleet.cli.launch.plan_view import echo_plan

    echo_plan(plan, now=context.now(), err=True)
    if plan.changes_nothing:
        click.echo("  nothing to launch: looking whether every environment is ready", err=True)
    else:
        confirm("Launch this?", yes=yes, options=options)


def _apply(context: Context, plan: Plan, offers: Offers) -> FleetReport:
    """Apply the plan; whatever goes wrong, say what exists by then and what it costs."""
    from fleet.cli.progress import progress
    from fleet.workflows.launch.up import apply_up

    left = f"left at once; instances may run or come yet: {offers.again} goes on, {offers.down} takes all away"
    with interruptible(left):
        try:
            with progress() as on_event:
                return apply_up(dataclasses.replace(context, on_event=on_event), plan)
        except (KeyboardInterrupt, FleetError):
            echo_partial_fleet(context, plan, offers)
            raise


def _echo_result(report: FleetReport, plan: Plan, offers: Offers, output: str) -> None:
    """Print the URLs, and on stderr who needs another link, how many are ready and the one next command."""
    from fleet.cli.environment.report_view import echo_urls
    from fleet.plan.environment.replacements import new_addresses

    echo_urls(report, output)
    if moved := new_addresses(report, plan.owned.instances):
        said = "their instances have other addresses, their tokens stay"
        click.echo(f"a new link is needed by {', '.join(moved)}: {said}", err=True)
    total = len(report.environments)
    text = f"{report.ready} of {total} ready, {usd(report.hourly_usd)}"
    following = (
        f"{offers.again} tries again"
        if report.ready < total
        else f"{offers.handout} writes a page for each person"
    )
    click.echo(f"{text}; {following}", err=True)


def _exit_code(report: FleetReport, least: int | None) -> int:
    wanted = len(report.environments) if least is None else least
    return EXIT_DONE if report.ready >= wanted else EXIT_PARTLY
