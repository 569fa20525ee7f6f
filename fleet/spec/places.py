"""Where each value of a file stands, and the faults found so far.

Takes places and objections while the file is read, gives faults that name file, line and key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.errors import Fault

if TYPE_CHECKING:
    from yaml.nodes import Node

    from fleet.spec.forms import Table
    from fleet.spec.refusal import Objection

Loc = tuple[int | str, ...]


class Bad:
    """Stands for a value that has a fault already, so that no second fault follows from it."""


BAD = Bad()


@dataclass(frozen=True)
class Where:
    """A place in a file, and its name to the writer. Line 0 is a flag or the file as a whole."""

    file: str
    line: int
    label: str = ""

    def fault(self, message: str, remedy: str) -> Fault:
        """A fault at this place; the message goes on where the label ends."""
        return Fault(self.file, self.line, f"{self.label} {message}".strip(), remedy)


@dataclass
class Reading:
    """What is known so far: the places of all values, and the faults.

    `unquoted` are texts that YAML takes for something else: faults, unless a rule objects to the
    text as well, whose remedy then is the better one.
    """

    file: str
    table: Table
    where: dict[Loc, Where] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unquoted: dict[Loc, Fault] = field(default_factory=dict)

    def put(self, loc: Loc, node: Node, label: str) -> None:
        """Note where a value stands."""
        place = place_of(node)
        self.where[loc] = Where(place.file, place.line, label)

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


def place_of(node: Node) -> Where:
    """The file and line of a YAML node."""
    return Where(str(node.start_mark.name), int(node.start_mark.line) + 1)
