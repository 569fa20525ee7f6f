"""`fleet down`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from fleet.cli.interrupts import interruptible
from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY

if TYPE_CHECKING:
    from fleet.plan.teardown.plan import Teardown
    from fleet.plan.teardown.receipt import Receipt
    from fleet.workflows.context import Context


@click.command("down", short_help="Take a fleet away and prove that nothing is left.")
@click.argument("name")
@click.option(
    "--member",
    "members",
    metavar="MEMBER",
    multiple=True,
    help="Take only this member's environment away; may be given again.",
)
@click.option(
    "--keep-volumes",
    is_flag=True,
    help="Keep the instances' volumes; a later `down` without this removes them.",
)
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    name: str,
    members: tuple[str, ...],
    keep_volumes: bool,
    yes: bool,
    output: str,
) -> int:
    """Take fleet NAME away: instances, Spot requests, volumes, interfaces, security group, key pair,
    launch template, images and snapshots of a bake that did not end, secrets.

    Waits until EC2 says terminated, looks again over every kind, and prints the receipt. What is left is named with
    its price per month and the command that removes it (exit code 3). What fleet did not make is not touched.
    What people have left on their instances is lost.

    \b
    Examples:
      fleet down workshop
      fleet down workshop --yes -o json
      fleet down workshop --member ana --member ben
      fleet down workshop --keep-volumes
    """
    from fleet.cli.progress import working
    from fleet.cli.teardown.receipt_view import echo_receipt
    from fleet.workflows.teardown.down import prepare_down

    context = open_context(options)
    with working("looking at what there is"):
        teardown = prepare_down(context, name, members=members, keep_volumes=keep_volumes)
    _announce(teardown, options, yes=yes)
    again = f"`{options.command} down {name}`"
    receipt = _apply(context, teardown, again=again)
    if output == "json":
        echo_json(receipt.as_json())
    else:
        echo_receipt(receipt, again=again)
    if options.sandbox:
        click.echo("the sandbox itself still runs: `fleet sandbox stop` ends it", err=True)
    return EXIT_DONE if receipt.clean else EXIT_PARTLY


def _apply(context: Context, teardown: Teardown, *, again: str) -> Receipt:
    from fleet.cli.progress import progress
    from fleet.workflows.teardown.down import apply_down

    left = f"not everything is gone yet: {again} goes on"
    with interruptible(left):
        try:
            with progress() as on_event:
                return apply_down(dataclasses.replace(context, on_event=on_event), teardown)
        except KeyboardInterrupt:
            click.echo(left, err=True)
            raise


def _announce(teardown: Teardown, options: Globals, *, yes: bool) -> None:
    from fleet.cli.teardown.receipt_view import counted
    from fleet.plan.teardown.resources import by_kind

    what = f"fleet {teardown.fleet}"
    if teardown.members:
        what = f"{', '.join(teardown.members)} of {what}"
    listed = [counted(len(ids), kind) for kind, ids in by_kind(teardown.release).items() if ids]
    if not listed and not teardown.keep:
        whole = f"there is no {what}" if teardown.whole else f"nothing is left of {what}"
        click.echo(f"{whole} in {teardown.region}: nothing to do", err=True)
        return
    click.echo(
        f"Taking away {what} in {teardown.region}: {', '.join(listed) or 'nothing'}", err=True
    )
    if teardown.keep:
        click.echo(f"Keeping {counted(len(teardown.keep), 'volumes')}", err=True)
    if listed:
        confirm("Take all of it away?", yes=yes, options=options)
