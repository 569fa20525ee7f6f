"""`fleet extend`."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, parse_flag, yes_option
from fleet.cli.output import echo_json, echo_table, usd
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY
from fleet.plan.tags import expiry_text

if TYPE_CHECKING:
    from fleet.plan.lifetime.extension import Extended, Extension, ExtensionReport, Longer, Stay


@click.command("extend", short_help="Let a fleet, or members of it, run longer.")
@click.argument("name")
@click.argument("duration", required=False)
@click.option("--until", metavar="TIME", help="Until this time instead, such as 2026-11-21T18:00Z.")
@click.option(
    "--member", "members", multiple=True, metavar="M", help="Only this member; repeatable."
)
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    name: str,
    duration: str | None,
    until: str | None,
    members: tuple[str, ...],
    yes: bool,
    output: str,
) -> int:
    """Let the environments of fleet NAME run longer than they were to: each by DURATION from its own end, or all
    --until a time. At most 30 days from the launch.

    Shows what that costs, and asks. Each machine is told over SSH, and only then its tag is changed; one that is
    stopped and started again keeps its new end. Extended as a whole, replacements of the fleet end later too.

    Exit code 0 when all of them are extended, 3 when not; those keep their old end.

    \b
    Examples:
      fleet extend workshop 2h
      fleet extend workshop 1h30m --member ana
      fleet extend workshop --until 2026-11-21T18:00+01:00 --yes
    """
    from fleet.cli.progress import progress, working
    from fleet.plan.lifetime.extension import ExtensionReport
    from fleet.workflows.lifetime.extend import apply_extend, prepare_extend

    longer = _longer(duration, until)
    context = open_context(options)
    with working("looking at every environment"):
        extension = prepare_extend(context, name, longer, members=members)
    _announce(extension)
    report = ExtensionReport(extension, ())
    if not extension.nothing:
        confirm("Extend?", yes=yes, options=options)
        with progress() as on_event:
            report = apply_extend(dataclasses.replace(context, on_event=on_event), extension)
    _echo(report, output)
    for line in _again(report, options):
        click.echo(line, err=True)
    return EXIT_PARTLY if report.left else EXIT_DONE


def _longer(duration: str | None, until: str | None) -> Longer:
    from fleet.plan.lifetime.extension import Longer, parse_time
    from fleet.spec.values import parse_duration

    by = parse_flag("DURATION", duration, parse_duration)
    return Longer(by=by, until=None if until is None else parse_time(until))


def _announce(extension: Extension) -> None:
    """Say what will be done and what it costs, on stderr, where it is confirmed and not the result."""
    fleet = f"fleet {extension.fleet} in {extension.region}"
    head = f"Nothing to extend of {fleet}" if extension.nothing else f"Extending {fleet}"
    for line in (head + _at_rest(extension), *_lines(extension)):
        click.echo(line, err=True)
    for note in extension.notes:
        click.secho(f"  warning: {note}", fg="yellow", err=True)


def _at_rest(extension: Extension) -> str:
    """Say who is left as they are, and why."""
    said = []
    if extension.endless:
        said.append(f"no expiry: {', '.join(extension.endless)}")
    if extension.enough:
        said.append(f"that long already: {', '.join(extension.enough)}")
    return f" ({'; '.join(said)})" if said else ""


def _lines(extension: Extension) -> Iterator[str]:
    width = max((len(stay.member) for stay in extension.stays), default=0)
    for stay in extension.stays:
        yield f"  {stay.member:<{width}}  {_span(stay)}  {_cost(stay)}"
    if extension.template is not None:
        yield f"  replacements will run until {expiry_text(extension.template[1])}"
    if extension.stays:
        yield f"  costs {usd(extension.usd, per='')} more for instances; volumes and addresses come on top"


def _span(stay: Stay) -> str:
    return f"{expiry_text(stay.expires_at)} -> {expiry_text(stay.until)}"


def _cost(stay: Stay) -> str:
    if stay.instance.state not in {"pending", "running"}:
        return stay.instance.state
    return f"{usd(stay.instance.hourly_usd)}: {usd(stay.usd, per='')}"


def _echo(report: ExtensionReport, output: str) -> None:
    if output == "json":
        echo_json(report.as_json())
        return
    if report.environments:
        echo_table(
            ("MEMBER", "EXPIRES", "BEFORE", "COST", "REASON"),
            [_row(one) for one in report.environments],
        )


def _row(one: Extended) -> tuple[str, ...]:
    return (
        one.stay.member,
        expiry_text(one.expires_at),
        expiry_text(one.stay.expires_at),
        "-" if one.reason else usd(one.stay.usd, per=""),
        one.reason,
    )


def _again(report: ExtensionReport, options: Globals) -> Iterator[str]:
    """Give the commands that go on: until a time, for what was done already is not to be added to."""
    fleet = report.extension.fleet
    for until in sorted({one.stay.until for one in report.left}):
        left = [one.stay.member for one in report.left if one.stay.until == until]
        members = shlex.join(word for member in left for word in ("--member", member))
        yield (
            f"not extended: {', '.join(left)}; "
            f"`{options.command} extend {fleet} --until {expiry_text(until)} {members}` tries again"
        )
