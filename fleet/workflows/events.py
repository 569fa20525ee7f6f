"""What a workflow reports while it runs. `cli/` draws these; nothing here prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

EventState = Literal["running", "done", "failed", "note"]

OUTPUT = "output"
"""The step of a note that is a line which a host has printed."""


@dataclass(frozen=True)
class Event:
    """One step of the work. `member` is None where the step is the whole fleet's."""

    member: str | None
    step: str
    state: EventState
    detail: str = ""


OnEvent = Callable[[Event], None]


def silent(event: Event) -> None:
    """Take an event and do nothing with it."""
