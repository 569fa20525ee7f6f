"""How a rule says no: what is wrong with a value, and what to write in its place.

Takes words, gives an exception that pydantic collects. Rules know neither file nor line: the
loader adds them.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Objection:
    """One thing that is wrong with a value.

    `message` goes on where the field's name ends ("is 0, ..."); `at` is the way from the field to
    the part of it that is meant.
    """

    message: str
    remedy: str
    at: tuple[int | str, ...] = ()


class RefusedError(ValueError):
    """A value breaks a rule. pydantic keeps a ValueError inside an error of its own."""

    def __init__(self, *objections: Objection) -> None:
        super().__init__("; ".join(f"{each.message}: {each.remedy}" for each in objections))
        self.objections = objections


def refuse(message: str, remedy: str) -> RefusedError:
    """The refusal with a single objection."""
    return RefusedError(Objection(message, remedy))


def shown(text: str) -> str:
    """A value as a message quotes it: in one line, printable, not longer than a line can hold."""
    cut = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
    return "'" + "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut) + "'"
