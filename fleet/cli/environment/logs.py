"""`fleet logs`."""

from __future__ import annotations

import click

from fleet.cli.session import Globals, open_context


@click.command("logs", short_help="Show what a member's environment has logged.")
@click.argument("name")
@click.argument("member")
@click.option(
    "--of",
    "subject",
    type=click.Choice(["services", "bootstrap", "cloud-init", "all"]),
    default="services",
    show_default=True,
    help="Jupyter and TensorBoard, the bootstrap, the first boot, or the whole journal.",
)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(1, 100_000),
    default=100,
    show_default=True,
    help="How many.",
)
@click.pass_obj
def command(options: Globals, *, name: str, member: str, subject: str, lines: int) -> None:
    """Show the last lines that MEMBER's environment of fleet NAME has logged.

    \b
    Examples:
      fleet logs workshop ana
      fleet logs workshop ana --of bootstrap
      fleet logs workshop ana --of all -n 1000 | grep -i error
    """
    from fleet.cli.progress import working
    from fleet.workflows.environment.logs import read_log

    context = open_context(options)
    with working(f"reading the log of {member}"):
        text = read_log(context, name, member, subject=subject, lines=lines)
    click.echo(text, nl=False)
