"""`fleet down`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY

if TYPE_CHECKING:
    from fleet.plan.report import Receipt


@click.command("down", short_help="Take a fleet away and prove that nothing is left.")
@click.argument("name")
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, name: str, yes: bool, output: str) -> int:
    """Take fleet NAME away: instances, volumes, interfaces, security group, key pair, launch template, secrets.

    Waits until EC2 says terminated, looks again over every kind, and prints the receipt.
    What people have left on their instances is lost.

    \b
    Examples:
      fleet down workshop
      fleet down workshop --yes -o json
    """
    from fleet.cli.progress import progress, working  # noqa: PLC0415
    from fleet.workflows.down import apply_down, owned_ids, plan_down  # noqa: PLC0415

    context = open_context(options)
    with working("looking at what there is"):
        owned = plan_down(context, name)
    there = {kind: ids for kind, ids in owned_ids(owned).items() if ids}
    if there:
        listed = ", ".join(_counted(len(ids), kind) for kind, ids in there.items())
        click.echo(f"Taking away fleet {name} in {context.aws.region}: {listed}", err=True)
        confirm("Take all of it away?", yes=yes, options=options)
    else:
        click.echo(f"there is no fleet {name} in {context.aws.region}: nothing to do", err=True)
    with progress() as on_event:
        receipt = apply_down(dataclasses.replace(context, on_event=on_event), name, owned)
    if output == "json":
        echo_json(receipt.as_json())
    else:
        _echo(receipt)
    if options.sandbox:
        click.echo("the sandbox itself still runs: `fleet sandbox stop` ends it", err=True)
    return EXIT_DONE if receipt.clean else EXIT_PARTLY


def _echo(receipt: Receipt) -> None:
    rows = [
        (_words(kind), str(len(receipt.released[kind])), str(len(left)))
        for kind, left in receipt.remaining.items()
    ]
    echo_table(("RECEIPT", "RELEASED", "REMAINING"), rows)
    for kind, left in receipt.remaining.items():
        for one in left:
            click.secho(f"still there: {_words(kind).removesuffix('s')} {one}", fg="red", err=True)
    if not receipt.clean:
        click.echo(f"run `fleet down {receipt.fleet}` again", err=True)


def _counted(count: int, kind: str) -> str:
    words = _words(kind)
    return f"{count} {words.removesuffix('s') if count == 1 else words}"


def _words(kind: str) -> str:
    return kind.replace("_", " ")
