"""`fleet ca`."""

from __future__ import annotations

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context


@click.command("ca", short_help="Print the certificate that makes browsers trust a fleet.")
@click.argument("name")
@output_option("pem", "json")
@click.pass_obj
def command(options: Globals, *, name: str, output: str) -> None:
    """Print the certificate of fleet NAME's own authority, in PEM; no private key is in it.

    Everybody imports it once for the fleet, as an authority for websites. It may sign for IP addresses and EC2's
    names of instances alone, and ends with the fleet.

    \b
    Chromium, Chrome, Edge   Settings, Privacy and security, Security, Manage certificates, Import
    Firefox                  Settings, Privacy & Security, View Certificates, Authorities, Import
    macOS, Safari            open workshop.pem, and set it to Always Trust

    \b
    Examples:
      fleet ca workshop > workshop.pem
      curl --cacert workshop.pem https://203.0.113.7:8888/api
    """
    from fleet.workflows.record.authority import describe_authority

    authority = describe_authority(open_context(options), name)
    if output == "json":
        echo_json(authority.as_json())
        return
    click.echo(authority.certificate, nl=False)
    click.echo(
        f"{authority.name}, until {authority.ends_at:%Y-%m-%d}, SHA-256 {authority.fingerprint}",
        err=True,
    )
