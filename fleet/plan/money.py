"""Sums of USD in which None is unknown, and the numbers that JSON carries. Light: `fleet ls` needs it too."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal


def total(parts: Iterable[Decimal | None]) -> Decimal | None:
    """Add up; unknown where a part is unknown."""
    result = Decimal(0)
    for part in parts:
        if part is None:
            return None
        result += part
    return result


def as_number(value: Decimal | None) -> float | None:
    """Give an amount as JSON has it, null where it is unknown."""
    return None if value is None else float(value)
