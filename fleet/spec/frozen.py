"""What all models of a spec share: the closed frozen base, and the rules about lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict

from fleet.spec import rules
from fleet.spec.forms import Shape
from fleet.spec.refusal import refuse

T = TypeVar("T", bound=Sequence[str])


class Frozen(BaseModel):
    """What the models share: frozen, closed, and silent about values (a key may stand in one).

    `shape` says what holds for the map in the file as a whole; each attribute says the rest by its type and its `Doc`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    shape: ClassVar[Shape] = Shape()


@dataclass(frozen=True)
class AtLeastOne:
    """Refuses an empty list, and what is in a list twice. `what` is what to do then, with an example."""

    what: str
    example: str

    def __call__(self, items: T) -> T:
        """Give the list back as it is."""
        if not items:
            raise refuse("is an empty list", f"{self.what}, such as {self.example}")
        return distinct(items)


def distinct(items: T) -> T:
    """Refuse what is in a list twice."""
    rules.distinct(items)
    return items
