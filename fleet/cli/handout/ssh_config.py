"""`fleet ssh-config`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY

if TYPE_CHECKING:
    from fleet.workflows.handout.logins import SshConfig


@click.command("ssh-config", short_help="Write an ssh_config with every member's environment.")
@click.argument("name")
@click.option(
    "--include/--no-include",
    default=None,
    help="Let ~/.ssh/config include it, or no longer  [default: leave ~/.ssh/config as it is].",
)
@output_option("path", "json")
@click.pass_obj
def command(options: Globals, *, name: str, include: bool | None, output: str) -> int:
    """Write an ssh_config with a Host block for every member of fleet NAME, and print its path.

    Host keys are pinned: a host with another key is refused, and nothing asks. Hosts are called
    NAME-MEMBER, in plain letters. It is for whoever runs the fleet: it logs in with the fleet's own key.
    Run it again after `fleet up`. With --include, programs that read ~/.ssh/config alone, such as VS Code,
    find the hosts too.

    \b
    Examples:
      ssh -F "$(fleet ssh-config workshop)" workshop-ana
      rsync -e "ssh -F $(fleet ssh-config workshop)" -a data/ workshop-ana:data/
      fleet ssh-config workshop --include && scp notebook.ipynb workshop-ana:
    """
    from fleet.workflows.handout.logins import write_ssh_config

    written = write_ssh_config(open_context(options), name, include=include)
    if output == "json":
        echo_json(written.as_json())
    else:
        click.echo(written.path)
    _tell(written)
    return EXIT_PARTLY if written.found.absent else EXIT_DONE


def _tell(written: SshConfig) -> None:
    """Say on stderr who is not in it, and how to go on."""
    for member, reason in written.found.absent.items():
        click.echo(f"left out: {member}: {reason}", err=True)
    logins = written.found.logins
    if logins:
        how = "ssh" if written.included_in else f"ssh -F {written.path}"
        click.echo(f"{len(logins)} hosts; try `{how} {logins[0].alias}`", err=True)
