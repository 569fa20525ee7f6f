"""A file's bytes to a FleetSpec, or to every fault that it has.

Takes the bytes, two functions that look at other files, and what the command line overrides.
Paths in a spec count from the spec's own folder: the functions handed in see to that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fleet.errors import SpecError
from fleet.spec import overrides as flags
from fleet.spec import people, rules
from fleet.spec.build import build
from fleet.spec.document import parse, reason, unreadable
from fleet.spec.model import MEMBER_KEYS, FleetSpec
from fleet.spec.overrides import Overrides
from fleet.spec.places import BAD, Bad, Loc, Reading
from fleet.spec.reader import read_tree
from fleet.spec.refusal import RefusedError, shown
from fleet.spec.roster import read_roster
from fleet.spec.table import SPEC_FILE

_FROM_SPEC = "correct the path, which counts from the spec's folder"

__all__ = ["Overrides", "load_spec", "unreadable"]


def load_spec(
    text: bytes,
    *,
    file: str,
    read: Callable[[str], bytes],
    exists: Callable[[str], bool],
    overrides: Overrides = flags.NONE,
) -> FleetSpec:
    """Read, check and type a spec. `file` is its name in messages.

    `read` gives the bytes of the roster and may raise OSError; `exists` tells whether a path that
    stands under `bootstrap` is there. Raises SpecError with all faults, in the order of lines.
    """
    root = parse(text, file=file, newcomer=SPEC_FILE.newcomer)
    flags.apply(overrides, root)
    tree, reading = read_tree(root, SPEC_FILE, file=file)
    _settle_members(tree, reading, read)
    _check_paths(tree, reading, exists)
    spec = build(FleetSpec, tree, reading)
    if spec is None or reading.faults:
        raise SpecError(tuple(dict.fromkeys(reading.faults)))
    return spec


def _settle_members(tree: dict[str, Any], reading: Reading, read: Callable[[str], bytes]) -> None:
    """Turn `members`, `count` or `roster` into the one list of members that the model wants."""
    given = [key for key in MEMBER_KEYS if key in tree]
    given.sort(key=lambda key: ((key,) not in reading.where, reading.at((key,)).line))
    values = {key: tree.pop(key) for key in given}
    if not given:
        remedy = "write members: [ana, ben], or count: 20, or roster: people.csv"
        tree["members"] = reading.bad((), "no members are named", remedy)
        return
    first = given[0]
    for other in given[1:]:
        if (other,) in reading.where:
            says = f"stands beside {first} (line {reading.at((first,)).line})"
            reading.bad((other,), says, "keep one of them")
    tree["members"] = _members(first, values[first], reading, read)


def _members(key: str, value: Any, reading: Reading, read: Callable[[str], bytes]) -> object:
    if isinstance(value, Bad):
        return BAD
    members: list[Any] | None
    try:
        if key == "members":
            members = [name if isinstance(name, Bad) else {"name": name} for name in value]
        elif key == "count":
            members = [{"name": name} for name in people.numbered(value)]
        else:
            members = _rostered(rules.local_path(value), reading, read)
    except RefusedError as refused:
        members = None
        reading.object((key,), refused.objections)
    if members is None:
        return BAD
    _note_same_names(members, reading)
    return members


def _note_same_names(members: list[Any], reading: Reading) -> None:
    """The model compares names as well, but only where no name has another fault."""
    names = [person["name"] if isinstance(person, dict) else "" for person in members]
    try:
        people.distinct_names(names)
    except RefusedError as refused:
        reading.object(("members",), refused.objections)


def _rostered(
    path: str, reading: Reading, read: Callable[[str], bytes]
) -> list[dict[str, str]] | None:
    try:
        return read_roster(read(path), file=path, reading=reading)
    except OSError as error:
        message, remedy = reason(error, path)
        missing = isinstance(error, FileNotFoundError)
        reading.bad(("roster",), f"{shown(path)} {message}", _FROM_SPEC if missing else remedy)
    except SpecError as error:
        reading.faults.extend(error.faults)
    return None


def _check_paths(tree: dict[str, Any], reading: Reading, exists: Callable[[str], bool]) -> None:
    bootstrap = tree.get("bootstrap")
    if not isinstance(bootstrap, dict):
        return
    paths: list[tuple[Loc, str]] = []
    if isinstance(files := bootstrap.get("files"), list):
        for index, pair in enumerate(files):
            if isinstance(pair, tuple):
                paths.append((("bootstrap", "files", index), pair[0]))
    if isinstance(script := bootstrap.get("script"), str):
        paths.append((("bootstrap", "script"), script))
    for loc, path in paths:
        if rules.is_path(path) and not exists(path):
            reading.bad(loc, f"{shown(path)} is not there", _FROM_SPEC)
