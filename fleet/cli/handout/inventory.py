"""`fleet inventory`."""

from __future__ import annotations

import click

from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context


@click.command("inventory", short_help="Print a fleet as Ansible's dynamic inventory.")
@click.argument("name")
@click.option(
    "--list", is_flag=True, expose_value=False, help="All hosts: the default, as Ansible asks."
)
@click.option("--host", metavar="HOST", help="The variables of one host, as Ansible may ask.")
@click.pass_obj
def command(options: Globals, *, name: str, host: str | None) -> None:
    """Print fleet NAME as Ansible's dynamic inventory, in JSON, with the pinned host keys.

    Ansible runs an inventory that is executable: put the call into a script. Hosts are called NAME-MEMBER,
    as in `fleet ssh-config`, their group is NAME with _ for -, and `fleet_member` holds the person's name.

    \b
    Examples:
      printf '#!/bin/sh\\nexec fleet inventory workshop "$@"\\n' > workshop.sh && chmod +x workshop.sh
      ansible -i workshop.sh workshop -m ping
      fleet inventory workshop --host workshop-ana
    """
    from fleet.workflows.handout.logins import describe_logins

    found = describe_logins(open_context(options), name)
    for member, reason in found.absent.items():
        click.echo(f"left out: {member}: {reason}", err=True)
    inventory = found.as_inventory()
    echo_json(inventory if host is None else inventory["_meta"]["hostvars"].get(host, {}))
