"""`fleet plan`."""

from __future__ import annotations

from pathlib import Path

import click

from fleet.cli.launch.planning import echo_as_result, make_plan
from fleet.cli.options import output_option
from fleet.cli.session import Globals, open_context
from fleet.cli.spec_flags import Flags, flag_options, read_wanted


@click.command("plan", short_help="Show what `up` would do and cost; change nothing.")
@click.argument("spec", type=click.Path(path_type=Path))
@flag_options
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, spec: Path, flags: Flags, output: str) -> None:
    """Show the very plan that `fleet up SPEC` would apply: image and why, zones, prices, expiry.

    \b
    Examples:
      fleet plan workshop.yaml
      fleet plan workshop.yaml --market spot-first -o json
    """
    wanted = read_wanted(options, spec, flags)
    context = open_context(options, spec_region=wanted.region)
    echo_as_result(context, make_plan(context, wanted, spec), output)
