"""`fleet exec`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.workflows.environment.remote import MemberOutcome


@click.command(
    "exec",
    short_help="Run a command on every environment.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option(
    "--member", "members", multiple=True, metavar="M", help="Only this member; repeatable."
)
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=300, show_default=True, help="Seconds."
)
@output_option("table", "json")
@click.argument("name")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD...")
@click.pass_obj
def command(
    options: Globals,
    *,
    name: str,
    words: tuple[str, ...],
    members: tuple[str, ...],
    timeout: float,
    output: str,
) -> int:
    """Run CMD on every member's environment of fleet NAME at the same time. Every result is kept.

    One quoted word is a line for the remote shell; several words are one command as they stand.

    \b
    Examples:
      fleet exec workshop -- nvidia-smi -L
      fleet exec workshop -- 'du -sh ~ | cut -f1'
      fleet exec --member ana -o json workshop -- hostname
    """
    from fleet.cli.progress import working
    from fleet.workflows.environment.remote import execute_on_fleet

    if words[0] != "--" and words[0].startswith("-"):
        raise UsageError(
            f"{words[0]} stands behind {name}, where the command begins",
            remedy=f"write options before {name}, or -- before a command that begins so",
        )
    line = words[1:] if words[0] == "--" else words
    if not line:
        raise click.UsageError("there is no command after --")
    context = open_context(options)
    with working("running on every environment"):
        outcomes = execute_on_fleet(context, name, line, members=members, timeout=timeout)
    if output == "json":
        echo_json({"fleet": name, "results": [outcome.as_json() for outcome in outcomes]})
    else:
        _echo(outcomes)
    return _exit_code(outcomes)


def _echo(outcomes: Sequence[MemberOutcome]) -> None:
    width = max(len(outcome.member) for outcome in outcomes)
    for outcome in outcomes:
        label = f"{outcome.member:<{width}} | "
        for line in outcome.stdout.splitlines():
            click.echo(label + line)
        for line in outcome.stderr.splitlines():
            click.echo(label + line, err=True)
        if outcome.error or outcome.exit_status:
            said = outcome.error or f"exit status {outcome.exit_status}"
            click.secho(label + said, fg="red", err=True)


def _exit_code(outcomes: Sequence[MemberOutcome]) -> int:
    good = sum(outcome.exit_status == 0 for outcome in outcomes)
    if good == len(outcomes):
        return EXIT_DONE
    return EXIT_PARTLY if good else EXIT_FAILED
