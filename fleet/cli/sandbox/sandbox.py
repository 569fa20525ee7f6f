"""`fleet sandbox`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json
from fleet.cli.sandbox.faults import fault
from fleet.cli.sandbox.host import host
from fleet.cli.session import sandbox_directory
from fleet.errors import SandboxError

if TYPE_CHECKING:
    from fleet.sandbox.control import Sandbox


@click.group("sandbox", short_help="EC2 in a box: start, stop, status, env, reset, fault, host.")
def command() -> None:
    """EC2 in a box: an EC2-compatible endpoint on this machine, and hosts that really boot. No account, no root.

    \b
    Examples:
      fleet --sandbox up examples/workshop.yaml       starts it when needed
      eval "$(fleet sandbox env)"; aws ec2 describe-instances
      fleet sandbox fault add no-capacity --type g5.xlarge
      fleet sandbox stop
    """


command.add_command(fault)
command.add_command(host)


@command.command("start")
@click.option(
    "--boot-seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="From launch to an answering SSH server.",
)
@click.option(
    "--hosts",
    type=click.Choice(["process", "container"]),
    default=None,
    help="What hosts are: processes (the default), or containers with real systemd, cloud-init and sshd (root).",
)
@output_option("table", "json")
def start(*, boot_seconds: float, hosts: str | None, output: str) -> None:
    """Start the sandbox; one that runs already is left alone."""
    from fleet.cli.progress import working
    from fleet.sandbox import control

    with working("starting the sandbox"):
        sandbox = control.start(
            sandbox_directory(),
            boot_seconds=boot_seconds,
            driver=hosts or "",
            on_progress=lambda line: click.echo(f"sandbox: {line}", err=True),
        )
    _echo(sandbox, output)


@command.command("status")
@output_option("table", "json")
def status(*, output: str) -> None:
    """Show whether the sandbox runs, and where."""
    _echo(_running(), output)


@command.command("env")
def env() -> None:
    """Print what points a shell, and any AWS client in it, at the sandbox.

    \b
    Example:
      eval "$(fleet sandbox env)"
    """
    from fleet.sandbox import control

    for name, value in control.environment(_running()).items():
        click.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    click.echo("export FLEET_SANDBOX=1")


@command.command("stop")
def stop() -> None:
    """Stop the sandbox: its hosts end, its state and files go; the package cache stays."""
    from fleet.sandbox import control

    stopped = control.stop(sandbox_directory())
    click.echo("sandbox: stopped" if stopped else "sandbox: was not running", err=True)


@command.command("reset")
def reset() -> None:
    """Forget every instance and resource; the sandbox keeps running."""
    from fleet.sandbox import control

    _running()
    control.reset(sandbox_directory())
    click.echo("sandbox: empty", err=True)


def _running() -> Sandbox:
    from fleet.sandbox import control

    sandbox = control.status(sandbox_directory())
    if sandbox is None:
        raise SandboxError("no sandbox is running", remedy="fleet sandbox start")
    return sandbox


def _echo(sandbox: Sandbox, output: str) -> None:
    if output == "json":
        echo_json(
            {
                "endpoint": sandbox.endpoint,
                "region": sandbox.region,
                "pid": sandbox.pid,
                "directory": str(sandbox.directory),
                "ssh_port": sandbox.ssh_port,
                "boot_seconds": sandbox.boot_seconds,
                "hosts": sandbox.driver,
                "network": sandbox.network,
            }
        )
        return
    click.echo(f"running at {sandbox.endpoint} ({sandbox.region}), pid {sandbox.pid}")
    if sandbox.driver == "container":
        click.echo(f"hosts are containers in {sandbox.network}, SSH on port {sandbox.ssh_port}")
    else:
        click.echo(f"SSH on port {sandbox.ssh_port}, boot takes {sandbox.boot_seconds:g} s")
    click.echo(f"files in {sandbox.directory}")
