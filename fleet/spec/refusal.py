"""How a rule says no: what is wrong with a value, and what to write in its place.

Takes words, gives an exception that pydantic collects. Rules know neither file nor line: the loader adds them.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Objection:
    """One thing that is wrong with a value.

    `message` goes on where the name of the field ends ("is 0"); `at` is the way from the field to the part meant.
    """

    message: str
    remedy: str
    at: tuple[int | str, ...] = ()


class Refused(ValueError):
    """A value breaks a rule. pydantic turns a ValueError into one of its own errors and keeps it inside."""

    def __init__(self, *objections: Objection) -> None:
        super().__init__("; ".join(f"{each.message}: {each.remedy}" for each in objections))
        self.objections = objections


def refuse(message: str, remedy: str) -> Refused:
    """The refusal with a single objection."""
    return Refused(Objection(message, remedy))


def shown(text: str) -> str:
    """A value as a message quotes it: one line, printable, never longer than a line has room for."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "'"
