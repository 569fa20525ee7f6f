"""Writes CSV that spreadsheets open without running anything. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write CSV with a heading; a cell that a spreadsheet would run as a formula is made plain text."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows([_plain(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell
