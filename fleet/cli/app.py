"""The root command: global options, and commands that are imported when they are called."""

from __future__ import annotations

import importlib

import click

from fleet.cli.session import Globals

COMMANDS = {
    "up": ("fleet.cli.launch.up", "Launch a fleet from a spec, or bring it to its spec."),
    "plan": ("fleet.cli.launch.plan", "Show what `up` would do and cost; change nothing."),
    "watch": ("fleet.cli.lifetime.watch", "Keep a fleet at its size: replace what is lost."),
    "status": ("fleet.cli.environment.status", "Show a fleet's environments as they stand."),
    "urls": ("fleet.cli.environment.urls", "Print each person's URLs."),
    "handout": ("fleet.cli.handout.handout", "Write a page for each person, to hand out."),
    "extend": ("fleet.cli.lifetime.extend", "Let a fleet, or members of it, run longer."),
    "rotate": (
        "fleet.cli.environment.rotate",
        "Change tokens: links handed out before open nothing any more.",
    ),
    "ca": ("fleet.cli.handout.ca", "Print the certificate that makes browsers trust a fleet."),
    "bake": ("fleet.cli.bake.bake", "Make an image from a recipe, tested and tried."),
    "amis": ("fleet.cli.bake.amis", "Look after the images that `bake` has made."),
    "images": ("fleet.cli.images.images", "List the Deep Learning AMIs of the region."),
    "ls": ("fleet.cli.environment.ls", "List the fleets of the account and region."),
    "ssh": ("fleet.cli.environment.ssh", "Log in to a member's environment."),
    "ssh-config": (
        "fleet.cli.handout.ssh_config",
        "Write an ssh_config with every member's environment.",
    ),
    "inventory": ("fleet.cli.handout.inventory", "Print a fleet as Ansible's dynamic inventory."),
    "logs": ("fleet.cli.environment.logs", "Show what a member's environment has logged."),
    "open": ("fleet.cli.environment.open", "Open a member's Jupyter in the browser, through SSH."),
    "tunnel": ("fleet.cli.environment.tunnel", "Bring Jupyter and TensorBoard here through SSH."),
    "exec": ("fleet.cli.environment.exec", "Run a command on every environment."),
    "bootstrap": ("fleet.cli.environment.bootstrap", "Bootstrap environments again."),
    "access": ("fleet.cli.network.access", "Who may come in: show, refresh, allow, revoke."),
    "down": ("fleet.cli.teardown.down", "Take a fleet away and prove that nothing is left."),
    "sweep": ("fleet.cli.teardown.sweep", "Find what nobody needs any more, and remove it."),
    "types": ("fleet.cli.hardware.types", "Find instance types by need, with prices."),
    "cost": ("fleet.cli.hardware.cost", "Estimate what instances cost."),
    "quota": (
        "fleet.cli.hardware.quota",
        "Count vCPUs against the account's quotas; ask for more.",
    ),
    "doctor": (
        "fleet.cli.account.doctor",
        "Check credentials, permissions, quotas, network and clock.",
    ),
    "iam": ("fleet.cli.account.iam", "The least IAM policy that the commands need."),
    "spec": ("fleet.cli.launch.spec", "Check a spec; print its JSON Schema."),
    "recipe": ("fleet.cli.bake.recipe", "Check an image's recipe; print its JSON Schema."),
    "sandbox": (
        "fleet.cli.sandbox.sandbox",
        "EC2 in a box: start, stop, status, env, reset, fault.",
    ),
    "completion": ("fleet.cli.completion", "Print the shell's completion script."),
}


class _LazyGroup(click.Group):
    """A group that imports a command's module when the command is looked up, not for the list of help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = module.command
        assert isinstance(command, click.Command)  # noqa: S101 - for the type checker
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try it without an AWS account:  fleet --sandbox up examples/workshop.yaml",
)
@click.option(
    "--sandbox",
    is_flag=True,
    envvar="FLEET_SANDBOX",
    help="Work in the sandbox, EC2 in a box on this machine; start it when needed.",
)
@click.option(
    "--region", metavar="REGION", help="AWS region [default: the spec's, then the profile's]."
)
@click.option(
    "--profile", metavar="NAME", help="AWS profile of credentials [default: AWS_PROFILE]."
)
@click.version_option(package_name="dl-fleet", prog_name="fleet", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, *, sandbox: bool, region: str | None, profile: str | None) -> None:
    """Give each member of a team a deep-learning environment on EC2, and take it all away again.

    \b
    fleet up fleet.yaml          launch, bootstrap, prove, and print everyone's URLs
    fleet status workshop        who is ready, what it costs, when it ends
    fleet down workshop          take everything away; the receipt shows what is left: nothing
    """
    ctx.obj = Globals(sandbox=sandbox, region=region, profile=profile)
