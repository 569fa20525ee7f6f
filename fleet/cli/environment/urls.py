"""`fleet urls`."""

from __future__ import annotations

import click

from fleet.cli.options import output_option
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY


@click.command("urls", short_help="Print each person's URLs.")
@click.argument("name")
@output_option("table", "json", "csv", "markdown")
@click.pass_obj
def command(options: Globals, *, name: str, output: str) -> int:
    """Print the Jupyter and TensorBoard URL of every member of fleet NAME.

    They carry the tokens: hand each to its person.

    \b
    Examples:
      fleet urls workshop
      fleet urls workshop -o csv > urls.csv
    """
    from fleet.cli.environment.report_view import echo_urls
    from fleet.cli.progress import working
    from fleet.workflows.environment.status import describe_fleet

    context = open_context(options)
    with working("looking at every environment"):
        report = describe_fleet(context, name).current
    echo_urls(report, output)
    return EXIT_DONE if report.ready == len(report.environments) else EXIT_PARTLY
