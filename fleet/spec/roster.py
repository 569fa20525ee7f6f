"""The roster: a CSV file of people, one row each.

Takes its bytes, gives the members' fields with the place of each, and every fault with the CSV's own line.
Columns are `member`, `ssh_key` and `email`; commas, semicolons (as some spreadsheets save) or tabs between them.
"""

from __future__ import annotations

import csv
import difflib
import io

from fleet.errors import Fault, SpecError
from fleet.spec import people
from fleet.spec.document import decode
from fleet.spec.reader import Loc, Reading, Where
from fleet.spec.refusal import Refused, shown

COLUMNS = {"member": "name", "ssh_key": "ssh_key", "email": "email"}


def read_roster(content: bytes, *, file: str, reading: Reading) -> list[dict[str, str]]:
    """One dict for each row, under the names of `Member`; places go into `reading` below `members`."""
    text = decode(content, file=file)
    _refuse_private_keys(text, file=file)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    members: list[dict[str, str]] = []
    header: list[str] | None = None
    last = 0
    try:
        for row in rows:
            line, last = last + 1, rows.line_num
            if not any(cell.strip() for cell in row):
                continue
            if header is None:
                header = _header(row, file=file, line=line)
            else:
                members.append(
                    _member(row, header, ("members", len(members)), Where(file, line), reading)
                )
    except csv.Error as error:
        fault = Fault(file, rows.line_num, f"is not CSV ({error})", "save it again as CSV")
        raise SpecError((fault,)) from None
    if not members:
        raise SpecError(
            (Fault(file, 0, "names nobody", "write a first line member, then a name a line"),)
        )
    return members


def _refuse_private_keys(text: str, *, file: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        try:
            people.refuse_private_key(line)
        except Refused as refused:
            each = refused.objections[0]
            raise SpecError(
                (Fault(file, number, f"ssh_key {each.message}", each.remedy),)
            ) from None


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return next((mark for mark in ",;\t" if mark in first), ",")


def _header(row: list[str], *, file: str, line: int) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    if "member" not in names and not set(names) & set(COLUMNS):
        message = "the first line does not name the columns"
        raise SpecError(
            (Fault(file, line, message, "write member,ssh_key,email above the people"),)
        )
    faults = []
    for index, name in enumerate(names):
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            remedy = (
                f"did you mean '{near[0]}'?" if near else "the columns are member, ssh_key, email"
            )
            faults.append(Fault(file, line, f"unknown column {shown(name)}", remedy))
        elif name in names[:index]:
            faults.append(Fault(file, line, f"has the column '{name}' twice", "keep one of them"))
    if "member" not in names and not faults:
        faults.append(
            Fault(file, line, "the column 'member' is missing", "name it in the first line")
        )
    if faults:
        raise SpecError(tuple(faults))
    return names


def _member(
    row: list[str], header: list[str], loc: Loc, place: Where, reading: Reading
) -> dict[str, str]:
    reading.where[loc] = Where(place.file, place.line, "member")
    if any(cell.strip() for cell in row[len(header) :]):
        message = f"has {len(row)} cells, and the first line names {len(header)} columns"
        reading.faults.append(place.fault(message, "put quotes around a cell with a comma in it"))
    cells = dict(zip(header, (cell.strip() for cell in row), strict=False))
    for column, name in COLUMNS.items():
        reading.where[*loc, name] = Where(place.file, place.line, column)
    return {COLUMNS[column]: cell for column, cell in cells.items() if cell or column == "member"}
