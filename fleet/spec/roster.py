"""The roster: a CSV file of people, one row each.

Takes its bytes, gives the members' fields with the place of each; faults have the CSV's own line.
Columns are `member`, `ssh_key` and `email`, with commas between them, or semicolons or tabs, as
spreadsheets save in some languages.
"""

from __future__ import annotations

import csv
import difflib
import io

from fleet.errors import Fault, SpecError
from fleet.spec import people
from fleet.spec.document import decode
from fleet.spec.places import Loc, Reading, Where
from fleet.spec.refusal import RefusedError, shown

COLUMNS = {"member": "name", "ssh_key": "ssh_key", "email": "email"}


def read_roster(content: bytes, *, file: str, reading: Reading) -> list[dict[str, str]]:
    """One dict for each row, under the names of `Member`; places go into `reading`."""
    text = decode(content, file=file)
    _refuse_private_keys(text, file=file)
    header: list[str] | None = None
    members: list[dict[str, str]] = []
    for line, row in _rows(text, file=file):
        if header is None:
            header = _header(row, Where(file, line))
        else:
            loc = ("members", len(members))
            members.append(_member(row, header, loc, Where(file, line), reading))
    if not members:
        remedy = "write a first line with member, and below it one name in each line"
        raise SpecError((Fault(file, 0, "names nobody", remedy),))
    return members


def _rows(text: str, *, file: str) -> list[tuple[int, list[str]]]:
    """The rows that have something in them, each with the line that it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows = []
    last = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                rows.append((last + 1, row))
            last = reader.line_num
    except csv.Error:
        message = "has a quotation mark out of place"
        remedy = "close it, or write it twice inside a quoted cell"
        raise SpecError((Fault(file, last + 1, message, remedy),)) from None
    return rows


def _refuse_private_keys(text: str, *, file: str) -> None:
    for number, line in enumerate(text.split("\n"), 1):
        try:
            people.refuse_private_key(line)
        except RefusedError as refused:
            (each,) = refused.objections
            raise SpecError(
                (Where(file, number, "this").fault(each.message, each.remedy),)
            ) from None


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((mark for mark in ",;\t" if mark in first), ",")


def _header(row: list[str], place: Where) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    while names and not names[-1]:  # spreadsheets leave empty columns at the end
        names.pop()
    if not set(names) & set(COLUMNS):
        message = "the first line does not name the columns"
        raise SpecError((place.fault(message, "write member,ssh_key,email above the people"),))
    faults = [
        _column_fault(name, place, known=name in COLUMNS)
        for index, name in enumerate(names)
        if name not in COLUMNS or name in names[:index]
    ]
    if "member" not in names and not faults:
        faults = [place.fault("the column 'member' is missing", "add it with the people's names")]
    if faults:
        raise SpecError(tuple(faults))
    return names


def _column_fault(name: str, place: Where, *, known: bool) -> Fault:
    if known:
        return place.fault(f"the column '{name}' is there twice", "keep one of them")
    near = difflib.get_close_matches(name, COLUMNS, n=1)
    remedy = f"did you mean '{near[0]}'?" if near else "the columns are member, ssh_key, email"
    return place.fault(f"unknown column {shown(name)}", remedy)


def _member(
    row: list[str], header: list[str], loc: Loc, place: Where, reading: Reading
) -> dict[str, str]:
    reading.where[loc] = Where(place.file, place.line, "member")
    if any(cell.strip() for cell in row[len(header) :]):
        message = f"has {len(row)} cells, and the first line names {len(header)}"
        remedy = "put double quotes around a cell that has a comma in it"
        reading.faults.append(place.fault(message, remedy))
    cells = {"member": "", **dict(zip(header, (cell.strip() for cell in row), strict=False))}
    for column, name in COLUMNS.items():
        reading.where[*loc, name] = Where(place.file, place.line, column)
    return {COLUMNS[column]: cell for column, cell in cells.items() if cell or column == "member"}
