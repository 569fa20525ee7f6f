"""`fleet sweep`."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY, UsageError
from fleet.spec.refusal import RefusedError
from fleet.spec.values import parse_duration

if TYPE_CHECKING:
    from fleet.workflows.teardown.sweep import Sweep, SweepReceipt


@click.command("sweep", short_help="Find what nobody needs any more, and remove it.")
@click.option("--all-regions", is_flag=True, help="Look in every region of the account.")
@click.option(
    "--older-than",
    metavar="TIME",
    default="24h",
    show_default=True,
    help="Leave younger things alone; what is past its expiry goes at any age. 0h: everything.",
)
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    all_regions: bool,
    older_than: str,
    dry_run: bool,
    yes: bool,
    output: str,
) -> int:
    """Find fleets past their expiry, half-made fleets, and orphans: volumes, interfaces, images and the like
    that fleet made and no instance uses. Shows them with age and price, asks, and removes just what it showed.

    What is kept by `down --keep-volumes`, or tells no age, is shown and not touched.

    \b
    Examples:
      fleet sweep
      fleet sweep --all-regions --older-than 2d
      fleet sweep --dry-run -o json
    """
    from fleet.cli.progress import progress, working
    from fleet.workflows.teardown.sweep import apply_sweep, prepare_sweep

    least = _age(older_than)
    context = open_context(options)
    with working("looking for what nobody needs"):
        sweep = prepare_sweep(context, older_than=least, all_regions=all_regions)
    if output == "table":
        _echo_found(sweep)
    for text in sweep.unread:
        click.secho(f"not looked at: {text}", fg="red", err=True)
    if dry_run or not sweep.goes:
        if output == "json":
            echo_json(sweep.as_json())
        return EXIT_PARTLY if sweep.unread else EXIT_DONE
    if output == "json":
        _tell_found(sweep)
    confirm(f"Remove {_count(sweep)}?", yes=yes, options=options)
    with progress() as on_event:
        receipt = apply_sweep(dataclasses.replace(context, on_event=on_event), sweep)
    _echo_done(sweep, receipt, output)
    return EXIT_PARTLY if receipt.left or sweep.unread else EXIT_DONE


def _age(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except RefusedError as refused:
        raise UsageError(
            f"--older-than {text} is not a time", remedy="write it like 24h, 2d or 90m"
        ) from refused


def _echo_found(sweep: Sweep) -> None:
    where = sweep.regions[0] if len(sweep.regions) == 1 else f"{len(sweep.regions)} regions"
    if not sweep.orphans:
        click.echo(f"nothing to sweep in {where}", err=True)
        return
    echo_table(("KIND", "ID", "FLEET", "REGION", "AGE", "REASON", "USD/MONTH"), _rows(sweep))
    what = _count(sweep) if sweep.goes else "nothing"
    click.echo(f"{what} to remove in {where}", err=True)


def _tell_found(sweep: Sweep) -> None:
    """Show on stderr what a yes would remove: stdout is the result's alone."""
    for row in _rows(sweep):
        click.echo("  ".join(row), err=True)


def _rows(sweep: Sweep) -> list[tuple[str, ...]]:
    from fleet.plan.teardown.sweep import age_text

    return [
        (
            one.resource.kind.replace("_", " ").removesuffix("s"),
            one.resource.resource_id,
            one.resource.fleet,
            one.region,
            age_text(one.age),
            one.reason if one.touch else f"not touched: {one.reason}",
            usd(one.monthly_usd, per=""),
        )
        for one in sweep.orphans
    ]


def _count(sweep: Sweep) -> str:
    return f"{len(sweep.goes)} thing{'' if len(sweep.goes) == 1 else 's'}"


def _echo_done(sweep: Sweep, receipt: SweepReceipt, output: str) -> None:
    from fleet.cli.teardown.receipt_view import echo_counts, echo_leftovers
    from fleet.plan.teardown.leftovers import ids_by_kind

    if output == "json":
        echo_json({**sweep.as_json(), **receipt.as_json()})
    else:
        echo_counts(receipt.released_ids(), ids_by_kind(receipt.left))
    for text in receipt.changed:
        click.echo(f"changed meanwhile: {text}", err=True)
    echo_leftovers("still there", receipt.left, color="red")
