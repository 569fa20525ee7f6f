"""`fleet iam`."""

from __future__ import annotations

from typing import Any

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table
from fleet.errors import UsageError


@click.group("iam", short_help="The least IAM policy that the commands need.")
def command() -> None:
    """What AWS must allow whoever runs `fleet`.

    \b
    Examples:
      fleet iam policy > policy.json
      fleet iam policy --command status,urls,ssh
    """


@command.command("policy")
@click.option(
    "--command",
    "commands",
    metavar="C1,C2",
    help="For these commands only, such as up,down [default: all].",
)
@output_option("json", "table")
def policy(*, commands: str | None, output: str) -> None:
    """Print the least policy for the commands, generated from what the code declares beside each call.

    Asks AWS nothing. Where EC2 can check a tag, it must be ours: nothing else can be terminated, changed or deleted.

    \b
    Examples:
      fleet iam policy > policy.json
      aws iam create-policy --policy-name fleet --policy-document file://policy.json
      fleet iam policy --command status,urls -o table
    """
    document = policy_document(commands)
    if output == "json":
        echo_json(document)
    else:
        _echo_table(document)


def policy_document(commands: str | None) -> dict[str, Any]:
    """Give the policy of commands, separated by commas, or of all. Raises UsageError for an unknown one."""
    from fleet.cli.app import COMMANDS  # it imports this module
    from fleet.workflows.account.iam import policy_of

    names = [name.strip() for name in commands.split(",")] if commands is not None else [*COMMANDS]
    for name in names:
        if name not in COMMANDS:
            raise UsageError(
                f"--command: there is no command {name!r}", remedy=f"one of {', '.join(COMMANDS)}"
            )
    return policy_of([COMMANDS[name][0] for name in names])


def _echo_table(document: dict[str, Any]) -> None:
    echo_table(
        ("STATEMENT", "ACTION", "CONDITION"),
        [
            (statement["Sid"], action, _condition(statement) if number == 0 else "")
            for statement in document["Statement"]
            for number, action in enumerate(statement["Action"])
        ],
    )


def _condition(statement: dict[str, Any]) -> str:
    keys = {k: v for test in statement.get("Condition", {}).values() for k, v in test.items()}
    texts = (f"{k} = {', '.join(v) if isinstance(v, list) else v}" for k, v in keys.items())
    return "; ".join(texts) or "-"
