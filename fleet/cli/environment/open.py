"""`fleet open`."""

from __future__ import annotations

import webbrowser

import click

from fleet.cli.environment.tunnel import hold
from fleet.cli.session import Globals, open_context


@click.command("open", short_help="Open a member's Jupyter in the browser, through SSH.")
@click.argument("name")
@click.argument("member")
@click.option("--tensorboard", is_flag=True, help="Open TensorBoard instead.")
@click.pass_obj
def command(options: Globals, *, name: str, member: str, tensorboard: bool) -> int:
    """Open Jupyter of MEMBER's environment of fleet NAME in the browser, through an SSH tunnel, until Ctrl-C.

    Works whatever ports are open besides SSH's. The recorded host key must match.

    \b
    Examples:
      fleet open workshop ana
      fleet open workshop ana --tensorboard
    """
    from fleet.workflows.environment.tunnel import link_file, open_tunnels

    context = open_context(options)
    with open_tunnels(context, name, members=(member,)) as tunnels:
        (tunnel,) = tunnels
        url = tunnel.tensorboard_url if tensorboard else tunnel.jupyter_url
        with link_file(context, name, tunnel, url=url) as page:
            click.echo(url)
            if not webbrowser.open(page):
                click.echo("no browser was found here: open the link above", err=True)
            return hold(context, tunnels)
