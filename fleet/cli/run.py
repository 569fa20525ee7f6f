"""Runs the command line and turns every way out into an exit code and, for a failure, one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from fleet.cli.app import cli
from fleet.cli.console import Console
from fleet.errors import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, FleetError

_GLOBAL = frozenset(option for each in cli.params for option in each.opts)


def run(arguments: Sequence[str], console: Console) -> int:
    """Run one command on a console; gives the exit code. Never lets a traceback of ours out."""
    with console.in_use():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        code = cli.main(list(arguments), prog_name="fleet", standalone_mode=False, color=_colour())
        sys.stdout.flush()
    except FleetError as error:
        return _failed(str(error), error.exit_code)
    except click.exceptions.UsageError as error:
        return _failed(_usage(error), EXIT_USAGE)
    except click.exceptions.ClickException as error:
        return _failed(error.format_message(), EXIT_FAILED)
    except (KeyboardInterrupt, click.exceptions.Abort):
        return _interrupted()
    except BrokenPipeError:
        # The reader has left (`fleet urls … | head -1`): nothing went wrong, and nothing can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    return code if isinstance(code, int) else EXIT_DONE


def _colour() -> bool | None:
    """No colour where NO_COLOR is set (no-color.org); else as the terminal allows."""
    return False if os.environ.get("NO_COLOR") else None


def _failed(text: str, code: int) -> int:
    for line in text.splitlines():
        click.secho("fleet: ", fg="red", nl=False, err=True, color=_colour())
        click.echo(line, err=True)
    return code


def _usage(error: click.exceptions.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "fleet"
    if isinstance(error, click.NoSuchOption) and error.option_name in _GLOBAL:
        word, rest = error.option_name, command.removeprefix("fleet ")
        return f"{word} stands before the command: write `fleet {word} … {rest} …`"
    message = error.format_message().rstrip(".").replace("\n", " ")
    return f"{message}: see `{command} --help`"


def _interrupted() -> int:
    click.echo("fleet: interrupted", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    return EXIT_INTERRUPTED
