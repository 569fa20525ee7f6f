"""`fleet sandbox fault`: one command for each kind of fault, made of the sandbox's table of kinds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import sandbox_directory
from fleet.sandbox.faults import KINDS, Kind
from fleet.sandbox.faults.reading import read_kind

_HEADINGS = ("ID", "FAULT", "HITS", "LEFT")


class _Kinds(click.Group):
    """The kinds as commands. A name that is none of them is answered with the nearest."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(KINDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _add_command(KINDS[cmd_name]) if cmd_name in KINDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises UsageError with the nearest name, where click names none."""
        if not args[0].startswith("-"):
            read_kind(args[0])
        return super().resolve_command(ctx, args)


@click.group(
    "fault", no_args_is_help=False, short_help="Switch faults on and off: rehearse a bad day."
)
def fault() -> None:
    """Switch faults of the sandbox on and off by name: rehearse a bad day.

    \b
    Examples:
      fleet sandbox fault add no-capacity --type g5.xlarge --zone us-east-1a
      fleet sandbox fault add lost-response --action CreateFleet --calls 1
      fleet sandbox fault list
      fleet sandbox fault clear
    """


@fault.group("add", cls=_Kinds, no_args_is_help=False, short_help="Switch on a fault.")
def add() -> None:
    """Switch on a fault in the running sandbox; print its id. Each has its own --help.

    \b
    Examples:
      fleet sandbox fault add error --action CreateFleet --code RequestLimitExceeded --calls 2
      fleet sandbox fault add throttle --rate 30% --for 1m
      fleet sandbox fault add never-boots --instances 1
      fleet sandbox fault add spot-interruption --member ana --notice 20s
    """


@fault.command("list", short_help="List the faults with their hits.")
@output_option("table", "json")
def list_faults(*, output: str) -> None:
    """List the faults that were not cleared, with their hits; one that is over stays until then."""
    from fleet.sandbox import control

    found = control.faults(sandbox_directory())
    if output == "json":
        echo_json({"faults": found})
    elif found:
        echo_table(_HEADINGS, [_row(each) for each in found])
    else:
        click.echo("sandbox: no fault is switched on", err=True)


@fault.command("clear", short_help="Switch faults off by id or name, or all.")
@click.argument("which", nargs=-1, metavar="[ID|NAME]...")
def clear(*, which: tuple[str, ...]) -> None:
    """Switch faults off by id or by name; all of them where none is given.

    \b
    Example:
      fleet sandbox fault clear f2 throttle
    """
    from fleet.sandbox import control

    gone = control.clear_faults(sandbox_directory(), which)
    for each in gone:
        click.echo(f"sandbox: {each['id']} {_words(each)} is off", err=True)
    if not gone:
        click.echo("sandbox: no fault was switched on", err=True)


def _add_command(kind: Kind) -> click.Command:
    def add_fault(**given: str | None) -> None:
        from fleet.sandbox import control

        names = {_parameter(option.flag): option.flag for option in kind.options}
        options = {names[name]: text for name, text in given.items() if text is not None}
        added = control.add_fault(sandbox_directory(), kind.name, options)
        click.echo(added["id"])
        click.echo(f"sandbox: {_words(added)}, {_left(added)}", err=True)

    options = [
        click.Option(
            [f"--{option.flag}", _parameter(option.flag)],
            metavar=option.metavar,
            help=f"{option.help}{' [required]' if option.flag in kind.required else ''}",
        )
        for option in kind.options
    ]
    text = f"{kind.summary}\n\n\b\nExample:\n  fleet sandbox fault add {kind.example}"
    return click.Command(
        kind.name,
        params=list(options),
        callback=add_fault,
        help=text,
        short_help=f"{kind.summary.partition(':')[0].rstrip('.')}.",
    )


def _parameter(flag: str) -> str:
    """The option's name as click hands it over; `for` alone would be Python's."""
    return f"{flag.replace('-', '_')}_"


def _row(told: Mapping[str, Any]) -> tuple[str, ...]:
    return told["id"], _words(told), _counted(told["hits"], told["unit"]), _left(told)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit if number != 1 else unit.removesuffix('s')}"


def _words(told: Mapping[str, Any]) -> str:
    options = [part for flag, text in told["options"].items() for part in (f"--{flag}", text)]
    return shlex.join([told["name"], *options])


def _left(told: Mapping[str, Any]) -> str:
    if told["interrupts"]:
        notices = told["interrupts"].items()
        return ", ".join(f"{i} ends at {notice['time']}" for i, notice in notices)
    if told["over"]:
        return "over"
    left, seconds = told["left"], told["seconds_left"]
    times = [] if left is None else [_counted(left, told["unit"])]
    return ", ".join(times + ([] if seconds is None else [f"{seconds:.0f} s"])) or "for good"
