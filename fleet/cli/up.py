"""`fleet up`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json, usd
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY, FleetError

if TYPE_CHECKING:
    from fleet.plan.launch import Plan
    from fleet.plan.report import FleetReport
    from fleet.spec.model import FleetSpec
    from fleet.workflows.context import Context


@click.command("up", short_help="Launch a fleet from a spec, or bring it to its spec.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@yes_option
@click.option("--count", type=int, metavar="N", help="So many environments: env-01, env-02 …")
@click.option("--market", metavar="MARKET", help="on-demand, spot or spot-first.")
@click.option("--types", metavar="T1,T2", help="Instance types in order of preference.")
@click.option("--expires", metavar="8h", help="When everything ends by itself, or never.")
@click.option("--min", "min_ready", type=int, metavar="K", help="Succeed when K are ready.")
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    spec: Path,
    dry_run: bool,
    yes: bool,
    count: int | None,
    market: str | None,
    types: str | None,
    expires: str | None,
    min_ready: int | None,
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
    """
    from fleet.assets.spec_files import read_spec  # noqa: PLC0415
    from fleet.spec.load import Overrides  # noqa: PLC0415

    wanted = read_spec(
        spec,
        overrides=Overrides(
            count=count,
            market=market,
            types=tuple(part.strip() for part in types.split(",")) if types is not None else None,
            expires=expires,
            min_ready=min_ready,
            region=options.region,
        ),
    )
    return _up(options, wanted, spec, dry_run=dry_run, yes=yes, output=output)


def _up(
    options: Globals, wanted: FleetSpec, spec: Path, *, dry_run: bool, yes: bool, output: str
) -> int:
    """Plan, show, ask, apply. Imported here, past the spec's faults: boto3 and paramiko cost half a second."""
    from fleet.cli.report_view import echo_urls  # noqa: PLC0415

    context = open_context(options, spec_region=wanted.region)
    plan = _plan(context, wanted, spec.absolute().parent, output=output if dry_run else "table")
    if dry_run:
        return EXIT_DONE
    if plan.changes_nothing:
        click.echo("  nothing to launch: looking whether every environment is ready", err=True)
    else:
        confirm("Launch this?", yes=yes, options=options)
    report = _apply(context, plan, spec)
    echo_urls(report, output)
    _echo_next(report, spec)
    return _exit_code(report, wanted.min_ready)


def _plan(context: Context, wanted: FleetSpec, folder: Path, *, output: str) -> Plan:
    from fleet.cli.plan_view import echo_plan  # noqa: PLC0415
    from fleet.cli.progress import working  # noqa: PLC0415
    from fleet.plan.describe import plan_as_json  # noqa: PLC0415
    from fleet.workflows.planning import plan_up  # noqa: PLC0415

    with working("looking at images, prices and what is there"):
        plan = plan_up(context, wanted, folder=folder)
    if output == "json":
        echo_json(plan_as_json(plan))
    else:
        echo_plan(plan, now=context.now())
    return plan


def _apply(context: Context, plan: Plan, spec: Path) -> FleetReport:
    """Apply the plan; whatever goes wrong, say what exists by then and what it costs."""
    from fleet.cli.progress import progress  # noqa: PLC0415
    from fleet.workflows.up import apply_up  # noqa: PLC0415

    try:
        with progress() as on_event:
            return apply_up(dataclasses.replace(context, on_event=on_event), plan)
    except (KeyboardInterrupt, FleetError):
        _echo_standing(context, plan.fleet, spec)
        raise


def _echo_standing(context: Context, fleet: str, spec: Path) -> None:
    from fleet.workflows.status import list_fleets  # noqa: PLC0415

    try:
        standing = [summary for summary in list_fleets(context) if summary.fleet == fleet]
    except FleetError as error:
        click.echo(f"what exists could not be read ({error}); `fleet ls` shows it", err=True)
        return
    for summary in standing:
        cost = usd(summary.hourly_usd)
        click.echo(
            f"{summary.running} instances of {fleet} run ({cost}): "
            f"`fleet up {spec}` goes on, `fleet down {fleet}` takes them away",
            err=True,
        )


def _echo_next(report: FleetReport, spec: Path) -> None:
    ready = sum(environment.state == "ready" for environment in report.environments)
    total = len(report.environments)
    text = f"{ready} of {total} ready, {usd(report.hourly_usd)}"
    if ready < total:
        text += f"; `fleet up {spec}` tries again"
    click.echo(f"{text}; `fleet down {report.fleet}` takes everything away", err=True)


def _exit_code(report: FleetReport, least: int | None) -> int:
    ready = sum(environment.state == "ready" for environment in report.environments)
    wanted = len(report.environments) if least is None else least
    return EXIT_DONE if ready >= wanted else EXIT_PARTLY
