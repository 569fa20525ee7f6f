"""`fleet status`."""

from __future__ import annotations

import click

from fleet.cli.options import output_option
from fleet.cli.output import usd
from fleet.cli.session import Globals, open_context


@click.command("status", short_help="Show a fleet's environments as they stand.")
@click.argument("name")
@click.option(
    "--proof", is_flag=True, help="Show the receipt: what was proven before hand-out, and when."
)
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, name: str, proof: bool, output: str) -> None:
    """Show the environments of fleet NAME: state, instance, price, expiry. Looks at the services of each, and hears
    its watchers: whether somebody uses it and why, when it stops by itself, what EC2 announces of a Spot instance.

    The receipt of an environment has the HTTP statuses without and with the token, the end of its certificate under
    the fleet's authority, the cell that was executed, and the GPUs that it saw.

    \b
    Examples:
      fleet status workshop
      fleet status workshop --proof
      fleet status workshop -o json
    """
    from fleet.cli.environment.report_view import echo_proofs
    from fleet.cli.environment.status_view import echo_status
    from fleet.cli.progress import working
    from fleet.workflows.environment.status import describe_fleet

    context = open_context(options)
    with working("looking at every environment"):
        report = describe_fleet(context, name)
    if proof:
        echo_proofs(report, output)
    else:
        echo_status(report, output, command=options.command)
    if output == "table":
        click.echo(
            f"{report.ready} of {len(report.current.environments)} ready, {usd(report.hourly_usd)}",
            err=True,
        )
