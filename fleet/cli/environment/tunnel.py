"""`fleet tunnel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet.cli.output import echo_table
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fleet.workflows.context import Context
    from fleet.workflows.environment.tunnel import Tunnel


@click.command("tunnel", short_help="Bring Jupyter and TensorBoard here through SSH.")
@click.argument("name")
@click.argument("member", required=False)
@click.pass_obj
def command(options: Globals, *, name: str, member: str | None) -> int:
    """Bring the services of MEMBER's environment of fleet NAME, or of all, to ports of this machine, inside SSH.

    Prints the links that open here, and holds until Ctrl-C. The recorded host keys must match. One member's services
    answer on their own ports, 8888 and 6006, where these are free.

    \b
    Examples:
      fleet tunnel workshop ana
      fleet tunnel workshop
    """
    from fleet.workflows.environment.tunnel import open_tunnels

    context = open_context(options)
    with open_tunnels(context, name, members=(member,) if member else ()) as tunnels:
        rows = [(one.member, one.jupyter_url, one.tensorboard_url) for one in tunnels]
        echo_table(("MEMBER", "JUPYTER", "TENSORBOARD"), rows)
        return hold(context, tunnels)


def hold(context: Context, tunnels: Sequence[Tunnel]) -> int:
    """Hold tunnels until Ctrl-C, which is how they end well."""
    from fleet.workflows.environment.tunnel import wait_until_broken

    click.echo("open until Ctrl-C …", err=True)
    try:
        wait_until_broken(context, tunnels)
    except KeyboardInterrupt:
        click.echo("closed", err=True)
    return EXIT_DONE
