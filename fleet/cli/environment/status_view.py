"""Draws `fleet status`: a row for each environment, and below it what its watchers say."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click

from fleet.cli.output import Rows, echo_json, table_lines, usd
from fleet.plan.environment.heartbeats import describe_watchers
from fleet.plan.environment.report import Environment, FleetReport
from fleet.plan.tags import expiry_text

_HEADINGS = ("MEMBER", "STATE", "INSTANCE", "TYPE", "MARKET", "ZONE", "ADDRESS", "PRICE", "EXPIRES")
_SPARE = ("MARKET", "ZONE", "TYPE")
"""What a narrow terminal does without, in this order."""
_GAP = 2


def echo_status(report: FleetReport, output: str, *, command: str) -> None:
    """Print how each environment stands. `command` is how commands begin that are offered."""
    if output == "json":
        echo_json(report.as_json())
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    lines, gone = status_lines(report, columns=columns, command=command)
    for line in lines:
        click.echo(line)
    if gone:
        where = f"in a wider terminal, or `{command} status {report.fleet} -o json`"
        click.echo(f"{', '.join(gone).lower()}: {where}", err=True)


def status_lines(
    report: FleetReport, *, columns: int | None, command: str
) -> tuple[list[str], tuple[str, ...]]:
    """Give the lines for a terminal of so many columns (None: no terminal), and the headings that have no room."""
    headings, rows = _fitting([_row(one) for one in report.environments], columns)
    heading, *lines = table_lines(headings, rows)
    shown = [heading]
    for line, environment in zip(lines, report.environments, strict=True):
        below = _below(environment, report.fleet, command)
        shown += [line, *(_indented(text, columns) for text in below)]
    return shown, tuple(one for one in _HEADINGS if one not in headings)


def _row(environment: Environment) -> Sequence[str]:
    return (
        environment.member or "-",
        environment.state,
        environment.instance_id or "-",
        environment.instance_type or "-",
        environment.market or "-",
        environment.availability_zone or "-",
        environment.address or "-",
        usd(environment.hourly_usd),
        expiry_text(environment.expires_at),
    )


def _below(environment: Environment, fleet: str, command: str) -> Iterator[str]:
    if environment.reason:
        yield environment.reason
    if environment.state == "ready" or environment.watchers is not None:
        yield from describe_watchers(
            environment.watchers,
            member=environment.member or "",
            expires_at=environment.expires_at,
            fleet=fleet,
            command=command,
        )


def _fitting(rows: Rows, columns: int | None) -> tuple[Sequence[str], Rows]:
    """Give the headings and rows without the columns that have no room."""
    left = list(_HEADINGS)
    for heading in _SPARE:
        if columns is None or _width(_of(left, [_HEADINGS, *rows])) <= columns:
            break
        left.remove(heading)
    return left, _of(left, rows)


def _of(headings: Sequence[str], rows: Rows) -> Rows:
    kept = [number for number, heading in enumerate(_HEADINGS) if heading in headings]
    return [[row[number] for number in kept] for row in rows]


def _width(rows: Rows) -> int:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return sum(widths) + _GAP * (len(widths) - 1)


def _indented(text: str, columns: int | None) -> str:
    """Indent a line; on a terminal it goes on below its beginning."""
    if columns is None:
        return f"  {text}"
    return textwrap.fill(
        text,
        max(columns, 40),
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
