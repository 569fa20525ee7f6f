"""Reads the structured lines that the bootstrap script prints: `@fleet<TAB>step<TAB>state<TAB>detail`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StepState = Literal["running", "done", "failed", "note", "log"]
_STATES: tuple[StepState, ...] = ("running", "done", "failed", "note", "log")
_MARK = "@fleet"


@dataclass(frozen=True)
class Step:
    """One line of progress. A `note` is for people to see, `log` lines are the end of the host's log."""

    name: str
    state: StepState
    detail: str


def parse_step(line: str) -> Step | None:
    """Read one line; None where it is no line of progress."""
    parts = line.rstrip("\r").split("\t", 3)
    if len(parts) != 4 or parts[0] != _MARK:
        return None
    for state in _STATES:
        if parts[2] == state:
            return Step(parts[1], state, parts[3])
    return None
