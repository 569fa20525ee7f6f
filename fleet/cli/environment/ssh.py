"""`fleet ssh`."""

from __future__ import annotations

import os
import shutil

import click

from fleet.cli.session import Globals, open_context
from fleet.errors import FleetError


@click.command(
    "ssh",
    short_help="Log in to a member's environment.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("name")
@click.argument("member")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(options: Globals, *, name: str, member: str, arguments: tuple[str, ...]) -> None:
    """Log in to MEMBER's environment of fleet NAME with OpenSSH; the recorded host key must match.

    ARGUMENTS go to ssh after the host: a remote command.

    \b
    Examples:
      fleet ssh workshop ana
      fleet ssh workshop ana -- nvidia-smi
    """
    from fleet.workflows.environment.openssh import ssh_command

    if shutil.which("ssh") is None:
        raise FleetError("there is no ssh on this machine", remedy="install OpenSSH's client")
    words = [*ssh_command(open_context(options), name, member), *arguments]
    os.execvp(words[0], words)  # noqa: S606 - ssh takes over the terminal
