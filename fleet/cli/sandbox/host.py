"""`fleet sandbox host`: what befalls container hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import sandbox_directory
from fleet.errors import FleetError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_HEADINGS = ("INSTANCE", "FLEET", "MEMBER", "ADDRESS", "LINK")


@click.group("host", short_help="Cut, slow, heal, reboot or power off container hosts.")
def host() -> None:
    """Let something befall hosts of a sandbox with container hosts.

    HOST is a member that one fleet alone has, FLEET/MEMBER, an instance id or an address. What befalls
    a link stays until `heal`, over reboots too.

    \b
    Examples:
      fleet sandbox start --hosts container
      fleet sandbox host cut ana
      fleet sandbox host slow --rate 2mbit ana ben
      fleet sandbox host heal ana ben
      fleet sandbox host reboot workshop/ana
    """


def _known_hosts(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """The running hosts, for the shell's completion; none where no sandbox runs."""
    from fleet.sandbox import control

    try:
        found = control.hosts(sandbox_directory())
    except FleetError:
        return []
    names = [each["member"] or each["instance_id"] for each in found]
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


_names = click.argument(
    "names", metavar="HOST...", nargs=-1, required=True, shell_complete=_known_hosts
)


@host.command("list", short_help="List the running hosts and how their links are.")
@output_option("table", "json")
def list_hosts(*, output: str) -> None:
    """List the running hosts and how their links are.

    \b
    Example:
      fleet sandbox host list
    """
    from fleet.sandbox import control

    found = control.hosts(sandbox_directory())
    if output == "json":
        echo_json({"hosts": found})
    elif found:
        fields = ("instance_id", "fleet", "member", "address", "link")
        echo_table(_HEADINGS, [tuple(each[field] for field in fields) for each in found])
    else:
        click.echo("sandbox: no host runs", err=True)


@host.command("cut", short_help="Lose every packet, in silence.")
@_names
def cut(*, names: tuple[str, ...]) -> None:
    """Lose every packet from and to the hosts, in silence: callers meet time-outs, as on EC2.

    \b
    Example:
      fleet sandbox host cut ana
    """
    _act(names, "cut", "is cut off: every packet is lost, in silence")


@host.command("slow", short_help="Give little bandwidth, or delay.")
@_names
@click.option("--rate", metavar="RATE", default="", help="Bandwidth each way, such as 2mbit.")
@click.option(
    "--delay", metavar="TIME", default="", help="Each way, such as 100ms (needs sch_netem)."
)
def slow(*, names: tuple[str, ...], rate: str, delay: str) -> None:
    """Give the hosts little bandwidth, or delay their packets.

    \b
    Example:
      fleet sandbox host slow --rate 2mbit ana
    """
    _act(names, "slow", "has a slow link", {"rate": rate, "delay": delay})


@host.command("loss", short_help="Lose a share of the packets.")
@_names
@click.option("--share", metavar="SHARE", default="30%", show_default=True, help="Each way.")
def loss(*, names: tuple[str, ...], share: str) -> None:
    """Lose a share of the packets from and to the hosts.

    \b
    Example:
      fleet sandbox host loss --share 30% ana
    """
    _act(names, "loss", f"loses {share} of its packets each way", {"share": share})


def _plain(verb: str, said: str, short: str, text: str) -> None:
    """Add a verb that has no options."""

    def act(*, names: tuple[str, ...]) -> None:
        _act(names, verb, said)

    decorated: Callable[..., None] = _names(act)
    example = f"\n\n\b\nExample:\n  fleet sandbox host {verb} ana"
    host.command(verb, short_help=short, help=f"{text}{example}")(decorated)


_plain(
    "no-packages",
    "gets no answer from its package index",
    "Take the package index away.",
    "Let the hosts get no answer from their package index.",
)
_plain("heal", "has its link back", "Make the link whole again.", "Make the hosts' links whole.")
_plain(
    "reboot", "reboots", "Reboot, as by sudo reboot.", "Reboot the hosts, as `sudo reboot` does."
)
_plain(
    "power-off",
    "powers itself off",
    "Power off, as by sudo poweroff.",
    "Power the hosts off, as `sudo poweroff` on them does.",
)


def _act(
    names: tuple[str, ...], verb: str, said: str, options: Mapping[str, str] | None = None
) -> None:
    from fleet.sandbox import control

    given = {flag: text for flag, text in (options or {}).items() if text}
    for instance_id in control.act_on_hosts(sandbox_directory(), names, verb, given):
        click.echo(f"sandbox: {instance_id} {said}", err=True)
