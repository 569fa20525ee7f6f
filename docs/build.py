"""Builds the reference pages from the code: `make docs`. A test fails when a page is not what the code says."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import click

import fleet.aws
from fleet import errors
from fleet.aws.effects import declared_actions
from fleet.cli.app import cli
from fleet.spec.reference import spec_reference
from fleet.spec.schema import spec_json_schema

DOCS = Path(__file__).parent


def pages() -> dict[str, str]:
    """Give every built page by file name."""
    return {
        "cli.md": cli_reference(),
        "spec.md": spec_reference(),
        "spec.schema.json": json.dumps(spec_json_schema(), indent=2) + "\n",
        "errors.md": error_list(),
        "iam-policy.json": iam_policy(),
    }


def cli_reference() -> str:
    """Write every command's help, as the terminal shows it."""
    head = "# Command line\n\nBuilt from the code by `make docs`.\n"
    root = click.Context(cli, info_name="fleet", max_content_width=100, terminal_width=100)
    sections = (
        f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"
        for context in _contexts(root)
    )
    return "\n".join((head, *sections))


def _contexts(context: click.Context) -> Iterator[click.Context]:
    yield context
    command = context.command
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None:
            yield from _contexts(
                click.Context(
                    inner,
                    info_name=name,
                    parent=context,
                    max_content_width=100,
                    terminal_width=100,
                )
            )


def error_list() -> str:
    """Write the error tree with exit codes."""
    tree = inspect.getdoc(errors) or ""
    rows = [
        f"| `{name}` | {kind.exit_code} | {(inspect.getdoc(kind) or '').splitlines()[0]} |"
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.FleetError)
    ]
    head = "# Errors\n\nBuilt from the code by `make docs`.\n\n"
    codes = (
        "Exit codes: 0 done or nothing to do, 1 failed, 2 bad usage or spec, 3 partly done, "
        "130 interrupted.\n\n"
    )
    table = "| error | exit code | meaning |\n|---|---|---|\n" + "\n".join(rows)
    return f"{head}{codes}```text\n{tree}\n```\n\n{table}\n"


def iam_policy() -> str:
    """Write the policy that allows what the code declares beside each effect."""
    for module in pkgutil.iter_modules(fleet.aws.__path__):
        importlib.import_module(f"fleet.aws.{module.name}")
    actions = sorted({action for declared in declared_actions().values() for action in declared})
    statement = {"Sid": "Fleet", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2) + "\n"


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")
