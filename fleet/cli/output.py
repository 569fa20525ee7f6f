"""Writes results to stdout: tables for people, JSON, CSV and Markdown for scripts. Messages go to stderr elsewhere."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from decimal import Decimal

import click

from fleet.plan.csv_text import csv_text

Rows = Sequence[Sequence[str]]


def echo_json(value: object) -> None:
    """Print JSON, with accents as they are."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def echo_table(headings: Sequence[str], rows: Rows) -> None:
    """Print aligned columns. Nothing is ever cut: a URL that is cut is no URL."""
    for line in table_lines(headings, rows):
        click.echo(line)


def table_lines(headings: Sequence[str], rows: Rows) -> list[str]:
    """Give a table's lines: the headings, and each row on one."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=True, overflow="ignore")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    buffer = io.StringIO()
    terminal = sys.stdout.isatty()
    Console(file=buffer, width=100_000, force_terminal=terminal, highlight=False).print(table)
    return [line.rstrip() for line in buffer.getvalue().splitlines()]


def echo_csv(headings: Sequence[str], rows: Rows) -> None:
    """Print CSV with a heading; a cell that a spreadsheet would run as a formula is made plain text."""
    click.echo(csv_text(headings, rows), nl=False)


def echo_markdown(headings: Sequence[str], rows: Rows) -> None:
    """Print a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    for line in lines:
        click.echo("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |")


def usd(value: Decimal | None, *, per: str = "h", digits: int = 2) -> str:
    """Write a price for people; an unknown one says so."""
    if value is None:
        return "price unknown"
    text = f"${value:,.{digits}f}"
    return f"{text}/{per}" if per else text
