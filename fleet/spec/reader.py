"""Nodes to plain values: the shape of the file, held against the table of its keys.

Takes the root node and the table, gives nested dicts and lists under the models' names, and their places.
Finds every fault of shape (unknown, twice, missing, empty, of the wrong kind); the rules about
values are the models'.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleet.errors import Fault
from fleet.spec import rules
from fleet.spec.forms import (
    Form,
    Items,
    Key,
    Keys,
    Measure,
    Pairs,
    Switch,
    Table,
    Text,
    Texts,
    Whole,
    kind_of,
)
from fleet.spec.hints import nearest, no_choice, unknown_key
from fleet.spec.places import BAD, Bad, Loc, Reading, place_of
from fleet.spec.refusal import RefusedError, shown


@dataclass(frozen=True)
class Spot:
    """The place that is being read: its key, its way in the tree, and its name to the writer."""

    key: Key
    loc: Loc
    path: str


def read_tree(root: MappingNode, table: Table, *, file: str) -> tuple[dict[str, Any], Reading]:
    """The whole file as a tree, and what there is to know about it."""
    reading = Reading(file, table)
    tree = _read_keys(root, table.root, (), "", reading)
    return tree, reading


def _read_keys(
    node: MappingNode, form: Keys, loc: Loc, path: str, reading: Reading
) -> dict[str, Any]:
    known = {key.name: key for key in form.keys}
    seen: dict[str, int] = {}
    tree: dict[str, Any] = {}
    meant: set[str] = set()
    for key_node, value_node in node.value:
        place = place_of(key_node)
        if not isinstance(key_node, ScalarNode):
            message = "a list or a map stands where a key belongs"
            reading.faults.append(
                place.fault(message, "put quotes around a text with { or [ in it")
            )
            continue
        name = key_node.value
        if name in seen:
            message = f"the key {shown(path + name)} is there twice (first in line {seen[name]})"
            reading.faults.append(place.fault(message, "keep one of them"))
        elif name in known:
            key = known[name]
            spot = Spot(key, (*loc, key.field), path + name)
            reading.put(spot.loc, key_node, spot.path)
            tree[key.field] = _read_value(value_node, spot, reading)
        else:
            message, remedy, near = unknown_key(name, form, path, reading.table)
            reading.faults.append(place.fault(message, remedy))
            meant.add(near)
        seen.setdefault(name, place.line)
    for key in form.keys:
        if key.name not in seen and (key.name in meant or key.required):
            tree[key.field] = BAD
            if key.name not in meant:
                _note_missing(key, loc, path, reading)
    return tree


def _note_missing(key: Key, loc: Loc, path: str, reading: Reading) -> None:
    place = reading.at(loc)
    message = f"{shown(path + key.name)} is missing"
    reading.faults.append(Fault(place.file, place.line, message, f"write {key.written}"))


def _read_value(node: Node, spot: Spot, reading: Reading) -> object:
    key, form = spot.key, spot.key.form
    if _is_null(node):
        if key.nullable and node.value:
            return None
        remedy = f"write {key.written}" + ("" if key.required else ", or remove the key")
        return reading.bad(spot.loc, "has no value", remedy)
    if isinstance(form, Keys) and form.shape.short and isinstance(node, ScalarNode):
        short = next(each for each in form.keys if each.name == form.shape.short)
        inner = Spot(short, (*spot.loc, short.field), spot.path)
        reading.where[inner.loc] = reading.where[spot.loc]
        return {short.field: _READERS[type(short.form)](node, inner, reading)}
    return _READERS[type(form)](node, spot, reading)


def _read_text(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a text", spot, reading)
    choices = spot.key.form.choices if isinstance(spot.key.form, Text) else ()
    if choices and node.value not in choices:
        return reading.bad(spot.loc, *no_choice(node.value, choices))
    return _text(node, spot.loc, f"{spot.key.name}: ", reading)


def _text(node: ScalarNode, loc: Loc, before: str, reading: Reading) -> object:
    """A scalar's own text, also where YAML takes it for something else (which is noted)."""
    if not encodable(node.value):
        return reading.bad(loc, "has half of a surrogate pair", "write the character itself")
    if not node.tag.endswith((":str", ":value")):
        message = f"{shown(node.value)} is {_as_yaml(node)} to YAML, not a text"
        fault = reading.at(loc).fault(message, f'put quotes around it, {before}"{node.value}"')
        reading.unquoted[loc] = fault
    return node.value


def _read_measure(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a single value", spot, reading)
    if node.value == "never" and spot.key.doc.also == "never":
        return None
    if node.value == "never" and spot.key.default == "never":
        return reading.bad(spot.loc, "is never without the key, too", "remove the key")
    return node.value


def _read_whole(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a number", spot, reading)
    if re.fullmatch(r"-?[1-9][0-9]{0,8}|0", node.value):
        return int(node.value)
    message = f"{shown(node.value)} is not a whole number in plain digits"
    return reading.bad(spot.loc, message, f"write it like {spot.key.written}")


def _read_switch(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "true or false", spot, reading)
    return node.value


def _read_texts(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, SequenceNode):
        return _wrong_kind(node, "a list", spot, reading)
    label = spot.key.form.item if isinstance(spot.key.form, Texts) else ""
    items = []
    for index, item in enumerate(node.value):
        loc = (*spot.loc, index)
        reading.put(loc, item, label or spot.path)
        items.append(_read_item(item, Spot(spot.key, loc, spot.path), reading))
    if not label:
        _note_twice(items, spot, reading)
    return items


def _note_twice(items: list[object], spot: Spot, reading: Reading) -> None:
    """The models see what is there twice as well, but only where no item has another fault."""
    try:
        rules.distinct([item if isinstance(item, str) else "" for item in items])
    except RefusedError as refused:
        reading.object(spot.loc, refused.objections)


def _read_item(item: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(item, ScalarNode):
        return _wrong_kind(item, "a text", spot, reading)
    if _is_null(item):
        return reading.bad(spot.loc, "is there without a value", "remove the item")
    return _text(item, spot.loc, "", reading)


def _read_pairs(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, MappingNode):
        return _wrong_kind(node, "a map", spot, reading)
    pairs: list[object] = []
    seen: set[str] = set()
    for key_node, value_node in node.value:
        loc = (*spot.loc, len(pairs))
        reading.put(loc, key_node, spot.path)
        pairs.append(_read_pair(key_node, value_node, Spot(spot.key, loc, spot.path), reading))
        if isinstance(key_node, ScalarNode) and key_node.value in seen:
            reading.bad(loc, f"{shown(key_node.value)} is there twice", "keep one of them")
        seen.add(str(key_node.value))
    return pairs


def _read_pair(left: Node, right: Node, spot: Spot, reading: Reading) -> object:
    for node in (left, right):
        if not isinstance(node, ScalarNode):
            return _wrong_kind(node, "a path", spot, reading)
        if not encodable(node.value):
            return reading.bad(spot.loc, "has half of a surrogate pair", "write it plainly")
    # `~` alone is null to YAML, and the home to everyone else.
    if _is_null(right) and right.value != "~":
        remedy = f"write it like {spot.key.written}"
        return reading.bad(spot.loc, f"{shown(left.value)} goes nowhere", remedy)
    return (left.value, right.value)


def _read_map(node: Node, spot: Spot, reading: Reading) -> object:
    form = spot.key.form
    if not isinstance(node, MappingNode) or not isinstance(form, Keys):
        return _wrong_kind(node, "a map", spot, reading)
    return _read_keys(node, form, spot.loc, spot.path + ".", reading)


def _read_items(node: Node, spot: Spot, reading: Reading) -> object:
    if not isinstance(node, SequenceNode):
        return _wrong_kind(node, "a list", spot, reading)
    items = []
    for index, item in enumerate(node.value):
        loc = (*spot.loc, index)
        reading.put(loc, item, spot.path)
        items.append(_read_kind(item, Spot(spot.key, loc, spot.path), reading))
    return items


def _read_kind(item: Node, spot: Spot, reading: Reading) -> object:
    """One map of a list, by the kind that its keys name; its places have the kind in them, as pydantic's have."""
    form = spot.key.form
    if not isinstance(form, Items):
        raise TypeError(form)
    if _is_null(item) or item.value == []:
        return reading.bad(spot.loc, "has an item without a value", "remove it")
    if not isinstance(item, MappingNode):
        found = shown(item.value) if isinstance(item, ScalarNode) else "a list"
        message = f"has {found} where a {form.item} belongs"
        return reading.bad(spot.loc, message, f"write it like - {form.kinds[0].keys[0].written}")
    kinds = {kind_of(kind): kind for kind in form.kinds}
    written = [str(key.value) for key, _ in item.value]
    given = [name for name in kinds if name in written]
    if len(given) > 1:
        message = f"has {' and '.join(given)} in one {form.item}"
        return reading.bad(spot.loc, message, f"write a {form.item} for each")
    if not given:
        return _no_kind(written, form, spot, reading)
    (name,) = given
    keys = _read_keys(item, kinds[name], (*spot.loc, name), f"{spot.path}.", reading)
    return {"kind": name, **keys}


def _no_kind(written: list[str], form: Items, spot: Spot, reading: Reading) -> Bad:
    kinds = [kind_of(kind) for kind in form.kinds]
    meant = [(name, near) for name in written if (near := nearest(name, kinds, reading.table))]
    if not meant:
        message = f"has {shown(written[0])}, which is no {form.item} that fleet knows"
        return reading.bad(spot.loc, message, f"write one of {', '.join(kinds)}")
    name, near = meant[0]
    place = reading.at(spot.loc)
    message = f"unknown key {shown(f'{spot.path}.{name}')}"
    reading.faults.append(Fault(place.file, place.line, message, f"did you mean '{near}'?"))
    return BAD


_READERS: dict[type[Form], Callable[[Node, Spot, Reading], object]] = {
    Text: _read_text,
    Whole: _read_whole,
    Measure: _read_measure,
    Switch: _read_switch,
    Texts: _read_texts,
    Pairs: _read_pairs,
    Keys: _read_map,
    Items: _read_items,
}


def _wrong_kind(node: Node, wanted: str, spot: Spot, reading: Reading) -> Bad:
    found = "a list" if isinstance(node, SequenceNode) else "a map"
    remedy = f"write it like {spot.key.written}"
    if isinstance(node, ScalarNode):
        found = shown(node.value)
    if spot.key.name == "members" and found.strip("'").isdecimal():
        remedy = f"write count: {found[1:-1]}"
    if spot.key.name == "members" and len(spot.loc) > 1:
        remedy = "write names only; keys and addresses go into a roster"
    return reading.bad(spot.loc, f"has {found} where {wanted} belongs", remedy)


def _as_yaml(node: ScalarNode) -> str:
    """What YAML makes of a text without quotes: `on` is true, 22:30 is 1350, 2.10 is 2.1."""
    try:
        value = yaml.safe_load(node.value) if len(node.value) <= 40 else None
    except (yaml.YAMLError, ValueError, OverflowError):
        value = None
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {value}" if isinstance(value, int | float) else "a date or a number"


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag.endswith(":null")


def encodable(text: str) -> bool:
    """Whether a text can be written as UTF-8; YAML's escapes can make one that cannot."""
    return not any("\ud800" <= c <= "\udfff" for c in text)
