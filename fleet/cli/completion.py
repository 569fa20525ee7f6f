"""`fleet completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", short_help="Print the shell's completion script.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(*, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Examples:
      eval "$(fleet completion bash)"
      fleet completion fish > ~/.config/fish/completions/fleet.fish
    """
    from fleet.cli.app import cli  # a command cannot import its root at the top

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(cli, {}, "fleet", "_FLEET_COMPLETE").source())
