"""A file's bytes to a FleetSpec, or to every fault that it has.

Takes the bytes, two functions that look at other files, and what the command line overrides.
Paths in a spec count from the spec's own folder: the functions passed in see to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from yaml.error import Mark
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleet.errors import Fault, SpecError
from fleet.spec import people
from fleet.spec.document import parse, unreadable
from fleet.spec.fields import MEMBER_KEYS
from fleet.spec.model import FleetSpec
from fleet.spec.reader import BAD, Bad, Loc, Reading, Where, read
from fleet.spec.refusal import Refused, shown
from fleet.spec.roster import read_roster

__all__ = ["Overrides", "load_spec", "unreadable"]


@dataclass(frozen=True)
class Overrides:
    """What the command line says in place of the spec; None leaves the spec's own value.

    `count` takes the place of `members` and `roster`, too: the fleet then has env-01, env-02 and so on.
    """

    count: int | None = None
    market: str | None = None
    types: tuple[str, ...] | None = None
    expires: str | None = None
    min_ready: int | None = None
    region: str | None = None


def load_spec(
    text: bytes,
    *,
    file: str,
    read: Callable[[str], bytes],
    exists: Callable[[str], bool],
    overrides: Overrides = Overrides(),
) -> FleetSpec:
    """Read, check and type a spec. `file` is its name in messages.

    `read` gives the bytes of the roster and may raise OSError; `exists` tells whether a path named under
    `bootstrap` is there. Raises SpecError with all faults, in the order of their lines.
    """
    root = parse(text, file=file)
    _override(root, overrides)
    tree, reading = _read_tree(root, file)
    _settle_members(tree, reading, read)
    _check_paths(tree, reading, exists)
    spec = _build(tree, reading)
    if spec is None or reading.faults:
        raise SpecError(tuple(dict.fromkeys(reading.faults)))
    return spec


def _read_tree(root: MappingNode, file: str) -> tuple[dict[str, Any], Reading]:
    return read(root, file=file)


def _build(tree: dict[str, Any], reading: Reading) -> FleetSpec | None:
    """Let the models judge the values; what they object to goes to the faults, with its place."""
    spec = None
    objected: set[Loc] = set()
    try:
        spec = FleetSpec.model_validate(tree)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            refused = each.get("ctx", {}).get("error")
            if isinstance(refused, Refused):
                reading.object(each["loc"], refused.objections)
                objected.add(each["loc"])
            elif not isinstance(each["input"], Bad):
                raise
    for loc, fault in reading.unquoted.items():
        if not any(other[: len(loc)] == loc for other in objected):
            reading.faults.append(fault)
    return spec


def _settle_members(tree: dict[str, Any], reading: Reading, read: Callable[[str], bytes]) -> None:
    """Turn `members`, `count` or `roster` into the one list of members that the model wants."""
    given = sorted(
        (key for key in MEMBER_KEYS if key in tree), key=lambda key: reading.at((key,)).line
    )
    values = {key: tree.pop(key) for key in given}
    if not given:
        remedy = "write members: [ana, ben], or count: 20, or roster: people.csv"
        tree["members"] = reading.bad((), "nobody is named as a member", remedy)
        return
    for other in given[1:]:
        first = f"'{given[0]}' (line {reading.at((given[0],)).line})"
        reading.bad((other,), f"says who the members are, and so does {first}", "keep one of them")
    key, value = given[0], values[given[0]]
    if isinstance(value, Bad):
        tree["members"] = BAD
    elif key == "members":
        tree["members"] = _named(value, reading)
    elif key == "count":
        tree["members"] = _counted(value, reading)
    else:
        tree["members"] = _rostered(value, reading, read)


def _named(names: list[Any], reading: Reading) -> list[Any]:
    for index in range(len(names)):
        place = reading.where["members", index]
        reading.where["members", index] = Where(place.file, place.line, "member")
        if fault := reading.unquoted.pop(("members", index), None):
            reading.unquoted["members", index, "name"] = fault
    return [name if isinstance(name, Bad) else {"name": name} for name in names]


def _counted(count: int, reading: Reading) -> list[dict[str, str]] | Bad:
    try:
        return [{"name": name} for name in people.numbered(count)]
    except Refused as refused:
        reading.object(("count",), refused.objections)
        return BAD


def _rostered(
    path: str, reading: Reading, read: Callable[[str], bytes]
) -> list[dict[str, str]] | Bad:
    try:
        return read_roster(read(path), file=path, reading=reading)
    except OSError as error:
        for fault in unreadable(path, error).faults:
            reading.bad(("roster",), f"{shown(path)} {fault.message}", fault.remedy)
    except SpecError as error:
        reading.faults.extend(error.faults)
    return BAD


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
        if path.strip() and path.isprintable() and not exists(path):
            reading.bad(loc, f"{shown(path)} is not there", "paths count from the spec's folder")


def _override(root: MappingNode, overrides: Overrides) -> None:
    """Put the command line's values in the place of the spec's; their place is then the flag."""
    if overrides.count is not None:
        root.value = [pair for pair in root.value if pair[0].value not in MEMBER_KEYS]
        _put(root, "count", _scalar(str(overrides.count), "--count"))
    if overrides.expires is not None:
        _put(root, "expires", _scalar(overrides.expires, "--expires"))
    if overrides.min_ready is not None:
        _put(root, "min", _scalar(str(overrides.min_ready), "--min"))
    if overrides.region is not None:
        _put(root, "region", _scalar(overrides.region, "--region"))
    if overrides.types is not None:
        mark = _mark("--types")
        items: list[Node] = [_scalar(each, "--types") for each in overrides.types]
        _put_instances(root, "types", SequenceNode("tag:yaml.org,2002:seq", items, mark, mark))
    if overrides.market is not None:
        _put_instances(root, "market", _scalar(overrides.market, "--market"))


def _put_instances(root: MappingNode, key: str, value: Node) -> None:
    found = [pair[1] for pair in root.value if pair[0].value == "instances"]
    if not found:
        mark = value.start_mark
        found = [MappingNode("tag:yaml.org,2002:map", [], mark, mark)]
        _put(root, "instances", found[0])
    for node in found:
        if isinstance(node, MappingNode):
            _put(node, key, value)


def _put(node: MappingNode, key: str, value: Node) -> None:
    mark = value.start_mark
    name = ScalarNode("tag:yaml.org,2002:str", key, mark, mark)
    node.value = [pair for pair in node.value if pair[0].value != key] + [(name, value)]


def _scalar(text: str, flag: str) -> ScalarNode:
    mark = _mark(flag)
    return ScalarNode("tag:yaml.org,2002:str", text, mark, mark)


def _mark(flag: str) -> Mark:
    return Mark(flag, 0, -1, 0, None, 0)


def _faults(*faults: Fault) -> SpecError:
    return SpecError(faults)
