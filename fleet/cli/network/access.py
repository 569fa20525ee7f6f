"""`fleet access`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context

if TYPE_CHECKING:
    from fleet.workflows.network.access import AccessReport


@click.group("access", short_help="Who may come in: show, refresh, allow, revoke.")
def command() -> None:
    """Change who may reach SSH, TensorBoard and Jupyter of a fleet, without a new launch.

    Rules of `fleet up` are the spec's access.from, and each `up` makes them so again. Rules of `fleet access
    allow` stay until `fleet access revoke`, whatever `up` does. Rules that others have made are shown as
    foreign, and the next `up` removes them. Each rule's Description says who made it and when.
    """


@command.command("show")
@click.argument("name")
@output_option("table", "json")
@click.pass_obj
def show(options: Globals, *, name: str, output: str) -> None:
    """Show who may come in to fleet NAME, to which ports, and who said so.

    \b
    Examples:
      fleet access show workshop
      fleet access show workshop -o json
    """
    from fleet.workflows.network.access import describe_access

    _echo(describe_access(open_context(options), name), output)


@command.command("refresh")
@click.argument("name")
@output_option("table", "json")
@click.pass_obj
def refresh(options: Globals, *, name: str, output: str) -> None:
    """Put your public address of now in the place of your old one: after a change of network.

    Yours are the rules that name you as `me of NAME`, the name of your AWS user or session. Those of
    others stay. Where the spec does not list `me`, the next `up` removes it: use `allow NAME me` then.

    \b
    Example:
      fleet access refresh workshop
    """
    from fleet.workflows.network.access import refresh as apply

    _echo(apply(open_context(options), name), output)


@command.command("allow")
@click.argument("name")
@click.argument("cidrs", metavar="CIDR...", nargs=-1, required=True)
@yes_option
@output_option("table", "json")
@click.pass_obj
def allow(options: Globals, *, name: str, cidrs: tuple[str, ...], yes: bool, output: str) -> None:
    """Let CIDRs (IPv4 or IPv6, or `me`) in to fleet NAME until they are revoked; `up` keeps them.

    \b
    Examples:
      fleet access allow workshop 203.0.113.0/24 2001:db8::/32
      fleet access allow workshop me
    """
    from fleet.plan.network.ingress import opens_to_all
    from fleet.workflows.network.access import allow as apply
    from fleet.workflows.network.access import checked_sources

    sources = checked_sources(cidrs)
    if opens_to_all(sources):
        click.secho("warning: this opens the fleet to the whole internet", fg="yellow", err=True)
        confirm("Let everybody in?", yes=yes, options=options)
    _echo(apply(open_context(options), name, sources), output)


@command.command("revoke")
@click.argument("name")
@click.argument("cidrs", metavar="CIDR...", nargs=-1, required=True)
@output_option("table", "json")
@click.pass_obj
def revoke(options: Globals, *, name: str, cidrs: tuple[str, ...], output: str) -> None:
    """Take CIDRs out of fleet NAME again, whoever let them in. What the spec lists comes back with `up`.

    \b
    Examples:
      fleet access revoke workshop 203.0.113.0/24
      fleet access revoke workshop me
    """
    from fleet.workflows.network.access import checked_sources
    from fleet.workflows.network.access import revoke as apply

    _echo(apply(open_context(options), name, checked_sources(cidrs)), output)


def _echo(report: AccessReport, output: str) -> None:
    if output == "json":
        echo_json(report.as_json())
        return
    rows = [(one.cidr, ", ".join(one.ports), one.by, one.description) for one in report.sources]
    echo_table(("from", "ports", "by", "description"), rows)
    if not rows:
        click.echo("nobody may come in", err=True)
