"""`fleet rotate`."""

from __future__ import annotations

import dataclasses
import shlex

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY


@click.command("rotate", short_help="Change tokens: links handed out before open nothing any more.")
@click.argument("name")
@click.option(
    "--member", "members", multiple=True, metavar="M", help="Only this member; repeatable."
)
@yes_option
@output_option("table", "json", "csv", "markdown")
@click.pass_obj
def command(
    options: Globals, *, name: str, members: tuple[str, ...], yes: bool, output: str
) -> int:
    """Change the tokens of fleet NAME, of all members or of some, and print the new links.

    Jupyter and the door to TensorBoard start anew: running kernels end, whoever is logged in is so no longer, and
    each environment is shown to refuse its old token. Killed in the middle, run again it finishes what it began.

    Exit code 0 when all of them are changed, 3 when not.

    \b
    Examples:
      fleet rotate workshop
      fleet rotate workshop --member ana
    """
    from fleet.cli.environment.report_view import echo_urls
    from fleet.cli.progress import progress
    from fleet.workflows.environment.rotate import rotate

    context = open_context(options)
    confirm("Change the tokens? Running kernels end.", yes=yes, options=options)
    with progress() as on_event:
        report = rotate(dataclasses.replace(context, on_event=on_event), name, members=members)
    echo_urls(report, output)
    changed = [e.member or "-" for e in report.environments if e.state == "ready"]
    left = [e.member or "-" for e in report.environments if e.state != "ready"]
    if changed:
        click.echo(f"a new link is needed by {', '.join(changed)}", err=True)
    if left:
        again = shlex.join(word for member in left for word in ("--member", member))
        click.echo(f"not changed yet: `fleet rotate {name} {again}` goes on", err=True)
    return EXIT_PARTLY if left else EXIT_DONE
