"""`fleet ls`."""

from __future__ import annotations

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context
from fleet.plan.tags import expiry_text


@click.command("ls", short_help="List the fleets of the account and region.")
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, output: str) -> None:
    """List all fleets of the account and region, half-made ones too.

    \b
    Examples:
      fleet ls
      fleet --region eu-west-1 ls -o json
    """
    from fleet.workflows.environment.status import list_fleets

    context = open_context(options)
    found = list_fleets(context)
    if output == "json":
        echo_json({"fleets": [summary.as_json() for summary in found]})
        return
    if not found:
        click.echo(f"no fleets in {context.aws.region}", err=True)
        return
    echo_table(
        ("FLEET", "REGION", "INSTANCES", "RUNNING", "PRICE", "EXPIRES"),
        [
            (
                summary.fleet,
                summary.region,
                str(summary.instances),
                str(summary.running),
                usd(summary.hourly_usd),
                expiry_text(summary.expires_at),
            )
            for summary in found
        ],
    )
