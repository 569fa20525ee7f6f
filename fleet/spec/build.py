"""A tree of plain values to a model, or to the models' objections at the places of the values."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from fleet.spec.frozen import Frozen
from fleet.spec.places import Bad, Loc, Reading
from fleet.spec.refusal import RefusedError

M = TypeVar("M", bound=Frozen)


def build(model: type[M], tree: dict[str, Any], reading: Reading) -> M | None:
    """Let the models judge the values, and give their objections the places of the values."""
    built = None
    objected: set[Loc] = set()
    try:
        built = model.model_validate(tree)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            if isinstance(each["input"], Bad):
                continue
            refused = each.get("ctx", {}).get("error")
            if not isinstance(refused, RefusedError):
                raise
            reading.object(each["loc"], refused.objections)
            objected.add(each["loc"])
    for loc, fault in reading.unquoted.items():
        if not any(other[: len(loc)] == loc for other in objected):
            reading.faults.append(fault)
    return built
