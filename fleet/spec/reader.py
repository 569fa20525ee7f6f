"""Nodes to plain values: the shape of the file, held against the table of its keys.

Takes the root node, gives nested dicts and lists under the models' names, and where each of them stands.
Finds every fault of shape (unknown, twice, missing, empty, of the wrong kind); rules about values are the models'.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from fleet.errors import Fault
from fleet.spec.fields import SPEC, Form, Key, Keys, Measure, Pairs, Text, Texts, Whole
from fleet.spec.refusal import Objection, shown

Loc = tuple[int | str, ...]


class Bad:
    """Stands in the tree for a value that has a fault already, so that no second fault follows from it."""


BAD = Bad()


@dataclass(frozen=True)
class Where:
    """A place in a file, and how to name it to its writer. Line 0 is a flag or the file as a whole."""

    file: str
    line: int
    label: str = ""

    def fault(self, message: str, remedy: str) -> Fault:
        """A fault at this place; the message goes on where the label ends."""
        return Fault(self.file, self.line, f"{self.label} {message}".strip(), remedy)


@dataclass
class Reading:
    """What has been read so far: the places of all values, the faults, and faults that hold unless the models object."""

    file: str
    where: dict[Loc, Where] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unquoted: dict[Loc, Fault] = field(default_factory=dict)

    def at(self, loc: Loc) -> Where:
        """Where a value stands, or the nearest thing around it."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.where:
                return self.where[loc[:end]]
        return Where(self.file, 0)

    def bad(self, loc: Loc, message: str, remedy: str) -> Bad:
        """Note a fault, and give what stands in for the value."""
        self.faults.append(self.at(loc).fault(message, remedy))
        return BAD

    def object(self, loc: Loc, objections: tuple[Objection, ...]) -> None:
        """Note what a rule has against a value."""
        for each in objections:
            self.bad((*loc, *each.at), each.message, each.remedy)


def read(root: MappingNode, *, file: str) -> tuple[dict[str, Any], Reading]:
    """The whole file as a tree, and what there is to know about it."""
    reading = Reading(file)
    tree = _read_keys(root, SPEC, (), "", reading)
    return tree, reading


def _read_keys(
    node: MappingNode, form: Keys, loc: Loc, path: str, reading: Reading
) -> dict[str, Any]:
    known = {key.name: key for key in form.keys}
    seen: dict[str, int] = {}
    tree: dict[str, Any] = {}
    for key_node, value_node in node.value:
        place = place_of(key_node)
        name = key_node.value if isinstance(key_node, ScalarNode) else ""
        if name in seen:
            message = f"has the key {shown(path + name)} a second time (first in line {seen[name]})"
            reading.faults.append(place.fault(message, "keep one of them"))
        elif name not in known:
            message, remedy = _unknown(name, form, path)
            reading.faults.append(place.fault(message, remedy))
        else:
            key = known[name]
            here = (*loc, key.field or name)
            label = "" if place.line == 0 else path + name
            reading.where[here] = Where(place.file, place.line, label)
            tree[key.field or name] = _read_value(value_node, key, here, path + name, reading)
        seen.setdefault(name, place.line)
    _note_missing(form, seen, tree, loc, path, reading)
    return tree


def _note_missing(
    form: Keys, seen: dict[str, int], tree: dict[str, Any], loc: Loc, path: str, reading: Reading
) -> None:
    for key in form.keys:
        if key.required and key.name not in seen:
            place = reading.at(loc)
            message = f"{shown(path + key.name)} is missing"
            reading.faults.append(Fault(place.file, place.line, message, f"write {key.written}"))
            tree[key.field or key.name] = BAD


def _read_value(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if isinstance(node, ScalarNode) and node.tag.endswith(":null"):
        if key.nullable and node.value:
            return None
        return reading.bad(loc, "has no value", f"write {key.written}")
    form = key.form
    if isinstance(form, Keys) and form.short and isinstance(node, ScalarNode):
        short = next(each for each in form.keys if each.name == form.short)
        inner = short.field or short.name
        reading.where[*loc, inner] = reading.where[loc]
        return {inner: _READERS[type(short.form)](node, short, (*loc, inner), path, reading)}
    return _READERS[type(form)](node, key, loc, path, reading)


def _read_text(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a text", key, loc, reading)
    choices = key.form.choices if isinstance(key.form, Text) else ()
    if choices and node.value not in choices:
        return reading.bad(loc, *_no_choice(node.value, choices))
    return _text_item(node, loc, f"{key.name}: ", reading)


def _text_item(node: ScalarNode, loc: Loc, before: str, reading: Reading) -> object:
    """A scalar's own text. Where YAML takes it for something else than text, that is a fault unless a rule objects."""
    if not _encodable(node.value):
        return reading.bad(loc, "has half a surrogate pair", "write the character itself")
    if not node.tag.endswith((":str", ":value")):
        remedy = f'put quotes around it, {before}"{node.value}"'
        message = f"{shown(node.value)} is read by YAML as {_as_yaml(node)}"
        reading.unquoted[loc] = reading.at(loc).fault(message, remedy)
    return node.value


def _read_measure(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a single value", key, loc, reading)
    if loc == ("expires",) and node.value == "never":
        return None
    if loc == ("idle",) and node.value == "never":
        return reading.bad(loc, "is never without it, too", "remove it")
    return (
        node.value if _encodable(node.value) else _wrong_kind(node, "plain text", key, loc, reading)
    )


def _read_whole(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, ScalarNode):
        return _wrong_kind(node, "a number", key, loc, reading)
    if re.fullmatch(r"-?(0|[1-9][0-9]{0,8})", node.value):
        return int(node.value)
    message = f"{shown(node.value)} is not a whole number in plain digits"
    return reading.bad(loc, message, f"write it like {key.written}")


def _read_texts(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, SequenceNode):
        return _wrong_kind(node, "a list", key, loc, reading)
    items = []
    for index, item in enumerate(node.value):
        here = (*loc, index)
        place = place_of(item)
        reading.where[here] = Where(place.file, place.line, "" if place.line == 0 else path)
        items.append(_list_item(item, key, here, reading))
    return items


def _list_item(item: Node, key: Key, loc: Loc, reading: Reading) -> object:
    if not isinstance(item, ScalarNode):
        return _wrong_kind(item, "a text", key, loc, reading)
    if item.tag.endswith(":null"):
        return reading.bad(loc, "has an empty item", "remove it, or write something there")
    return _text_item(item, loc, "", reading)


def _read_pairs(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, MappingNode):
        return _wrong_kind(node, "a map", key, loc, reading)
    pairs: list[object] = []
    seen: set[str] = set()
    for key_node, value_node in node.value:
        here = (*loc, len(pairs))
        place = place_of(key_node)
        reading.where[here] = Where(place.file, place.line, path)
        if not isinstance(key_node, ScalarNode) or not isinstance(value_node, ScalarNode):
            odd = value_node if isinstance(key_node, ScalarNode) else key_node
            pairs.append(_wrong_kind(odd, "a path", key, here, reading))
            continue
        if key_node.value in seen:
            reading.bad(here, f"has {shown(key_node.value)} twice", "keep one of them")
        seen.add(key_node.value)
        pairs.append(_pair(key_node, value_node, key, here, reading))
    return pairs


def _pair(left: ScalarNode, right: ScalarNode, key: Key, loc: Loc, reading: Reading) -> object:
    # `~` alone is null to YAML, and the home to everyone else.
    target = "~" if right.value == "~" else right.value
    if right.tag.endswith(":null") and target != "~":
        return reading.bad(loc, f"{shown(left.value)} goes nowhere", f"write it like {key.written}")
    if not (_encodable(left.value) and _encodable(target)):
        return reading.bad(loc, "has half a surrogate pair", "write the character itself")
    return (left.value, target)


def _read_map(node: Node, key: Key, loc: Loc, path: str, reading: Reading) -> object:
    if not isinstance(node, MappingNode) or not isinstance(key.form, Keys):
        return _wrong_kind(node, "a map", key, loc, reading)
    return _read_keys(node, key.form, loc, path + ".", reading)


_READERS: dict[type[Form], Callable[[Node, Key, Loc, str, Reading], object]] = {
    Text: _read_text,
    Whole: _read_whole,
    Measure: _read_measure,
    Texts: _read_texts,
    Pairs: _read_pairs,
    Keys: _read_map,
}


def place_of(node: Node) -> Where:
    """The file and line of a node."""
    return Where(node.start_mark.name, node.start_mark.line + 1)


def _wrong_kind(node: Node, wanted: str, key: Key, loc: Loc, reading: Reading) -> Bad:
    found = "a list" if isinstance(node, SequenceNode) else "a map"
    if isinstance(node, ScalarNode):
        found = shown(node.value)
    return reading.bad(loc, f"has {found} where {wanted} belongs", f"write it like {key.written}")


def _no_choice(text: str, choices: tuple[str, ...]) -> tuple[str, str]:
    near = difflib.get_close_matches(text.lower(), choices, n=1, cutoff=0.5)
    message = f"{shown(text)} is not known"
    if near:
        return message, f"did you mean {near[0]}?"
    return message, f"write one of {', '.join(choices)}"


def _unknown(name: str, form: Keys, path: str) -> tuple[str, str]:
    message = f"unknown key {shown(path + name)}"
    near = difflib.get_close_matches(name.lower(), [key.name for key in form.keys], n=1)
    if near:
        return message, f"did you mean '{near[0]}'?"
    return message, f"the keys here are {', '.join(key.name for key in form.keys)}"


def _as_yaml(node: ScalarNode) -> str:
    try:
        value = yaml.safe_load(node.value) if len(node.value) <= 40 else None
    except (yaml.YAMLError, ValueError, OverflowError):
        value = None
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {value}" if isinstance(value, int | float) else "something else than text"


def _encodable(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)
