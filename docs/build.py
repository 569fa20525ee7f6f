"""Builds the reference pages from the code: `make docs`. A test fails when a page is not what the code says."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import click

from fleet import errors
from fleet.cli.account.iam import policy_document
from fleet.cli.app import COMMANDS, cli
from fleet.recipe.table import RECIPE_FILE
from fleet.spec.reference import reference
from fleet.spec.schema import json_schema
from fleet.spec.table import SPEC_FILE
from fleet.workflows.account.iam import effects_of

DOCS = Path(__file__).parent
MARK = "<!-- Built from the code by `make docs`, from here on. -->"


def pages() -> dict[str, str]:
    """Give every built page by file name."""
    return {
        "cli.md": cli_reference(),
        "spec.md": reference(SPEC_FILE),
        "spec.schema.json": json.dumps(json_schema(SPEC_FILE), indent=2) + "\n",
        "recipe.md": reference(RECIPE_FILE),
        "recipe.schema.json": json.dumps(json_schema(RECIPE_FILE), indent=2) + "\n",
        "errors.md": error_list(),
        "iam-policy.json": iam_policy(),
        "iam.md": iam_page(),
    }


def cli_reference() -> str:
    """Write every command's help, as the terminal shows it."""
    head = "# Command line\n\nBuilt from the code by `make docs`.\n"
    root = click.Context(cli, info_name="fleet", terminal_width=100, **cli.context_settings)
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
    """Write the policy of all commands, as `fleet iam policy` prints it."""
    return json.dumps(policy_document(None), indent=2) + "\n"


def iam_page() -> str:
    """Write what each command may change; the text above the mark stands as it is."""
    text = (DOCS / "iam.md").read_text("utf-8").partition(MARK)[0]
    rows = []
    for name, (module, _) in COMMANDS.items():
        actions = {action for effect in effects_of([module]) for action in effect}
        reads = {
            action for action in actions if _verb(action).startswith(("Describe", "Get", "List"))
        }
        changes = ", ".join(f"`{action}`" for action in sorted(actions - reads)) or "nothing"
        rows.append(f"| `{name}` | {len(reads)} | {changes} |")
    table = "| command | actions that read | actions that change |\n|---|---|---|\n" + "\n".join(
        rows
    )
    return f"{text}{MARK}\n\n{table}\n"


def _verb(action: str) -> str:
    return action.partition(":")[2]


if __name__ == "__main__":
    for name, text in pages().items():
        (DOCS / name).write_text(text, "utf-8")
