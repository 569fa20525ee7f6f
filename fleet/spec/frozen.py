"""What all models of a spec share: the closed frozen base, and the rules about lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from fleet.spec import rules
from fleet.spec.refusal import refuse

T = TypeVar("T", bound=Sequence[str])


class Frozen(BaseModel):
    """What the models share: frozen, closed, and silent about values (a key may stand in one)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def at_least_one(what: str, example: str) -> Callable[[T], T]:
    """Refuse an empty list, and what is in a list twice."""

    def check(items: T) -> T:
        if not items:
            raise refuse("is an empty list", f"{what}, such as {example}")
        rules.distinct(items)
        return items

    return check


def distinct(items: T) -> T:
    """Refuse what is in a list twice."""
    rules.distinct(items)
    return items
