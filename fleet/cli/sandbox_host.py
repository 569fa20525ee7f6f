"""`fleet sandbox host`: what befalls one container host."""

from __future__ import annotations

import click

from fleet.cli.session import sandbox_directory

_SAID = {
    "cut": "is cut off: every packet is lost, in silence",
    "slow": "has a worse link",
    "heal": "has its link back",
    "reboot": "reboots",
    "power-off": "powers itself off",
}


@click.command("host", short_help="Cut, slow, heal, reboot or power off a container host.")
@click.argument("name")
@click.argument("verb", type=click.Choice(list(_SAID)))
@click.option("--rate", metavar="RATE", help="With slow: bandwidth, such as 2mbit.")
@click.option(
    "--delay", metavar="TIME", help="With slow: delay each way, such as 100ms (needs sch_netem)."
)
@click.option("--loss", metavar="PERCENT", help="With slow: packets lost each way, such as 30%.")
def host(*, name: str, verb: str, rate: str | None, delay: str | None, loss: str | None) -> None:
    """Let something befall one host of a sandbox with container hosts.

    NAME is an instance id, an address, or a member that one fleet alone has. cut loses every packet
    from and to the host; slow makes its link worse and says anew how each time; heal undoes both.
    reboot and power-off are what `sudo reboot` and `sudo poweroff` on the host are.

    \b
    Examples:
      fleet sandbox start --hosts container
      fleet sandbox host ana cut
      fleet sandbox host ana slow --rate 2mbit --loss 30%
      fleet sandbox host ana heal
      fleet sandbox host i-0123456789abcdef0 reboot
    """
    from fleet.sandbox import control  # noqa: PLC0415

    given = {"rate": rate, "delay": delay, "loss": loss}
    options = {flag: text for flag, text in given.items() if text is not None}
    if options and verb != "slow":
        raise click.UsageError(f"--{next(iter(options))} is for slow, not for {verb}")
    instance_id = control.act_on_host(sandbox_directory(), name, verb, options)
    click.echo(f"sandbox: {instance_id} {_SAID[verb]}", err=True)
