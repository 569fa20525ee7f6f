"""`fleet bootstrap`."""

from __future__ import annotations

import dataclasses

import click

from fleet.cli.options import output_option
from fleet.cli.output import usd
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY


@click.command("bootstrap", short_help="Bootstrap environments again.")
@click.argument("name")
@click.option(
    "--member", "members", multiple=True, metavar="M", help="Only this member; repeatable."
)
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, name: str, members: tuple[str, ...], output: str) -> int:
    """Bootstrap the environments of fleet NAME again: as the spec of the last `fleet up` said, which they keep.

    What is missing is installed, the spec's script runs again, a service restarts only where its files have
    changed, and each environment is proven. The spec's `files` stay as they are. To bring a changed spec or
    script there, run `fleet up`.

    Exit code 0 when all of them are ready, 3 when not.

    \b
    Examples:
      fleet bootstrap workshop
      fleet bootstrap workshop --member ana
      fleet bootstrap workshop --member ana --member ben -o json
    """
    from fleet.cli.environment.report_view import echo_urls
    from fleet.cli.progress import progress
    from fleet.workflows.environment.bootstrap import bootstrap_again

    context = open_context(options)
    with progress() as on_event:
        report = bootstrap_again(
            dataclasses.replace(context, on_event=on_event), name, members=members
        )
    echo_urls(report, output)
    total = len(report.environments)
    click.echo(f"{report.ready} of {total} ready, {usd(report.hourly_usd)}", err=True)
    return EXIT_DONE if report.ready == total else EXIT_PARTLY
