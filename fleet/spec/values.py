"""Durations, sizes, prices and switches: between what a person writes and what the program counts with.

Takes a text such as `1h30m`, `100GiB` or `0.60`, gives timedelta, GiB as int, USD as Decimal, bool,
or raises RefusedError.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from fleet.spec.refusal import refuse, shown

DURATION_PATTERN = r"^(?=[0-9])([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,6}s)?$"
SIZE_PATTERN = r"^[0-9]{1,6}(GiB|TiB)$"
GIB_PER_TIB = 1024

_DURATION = re.compile(DURATION_PATTERN)
_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SIZE = re.compile(SIZE_PATTERN)
_LOOSE_SIZE = re.compile(r"^([0-9]{1,6}(?:\.[0-9]{1,3})?) *([GT])i?B?$", re.IGNORECASE)
_PRICE = re.compile(r"^[0-9]{1,6}(\.[0-9]{1,6})?$")


def parse_duration(value: object) -> timedelta:
    """`2d`, `8h`, `90m`, `45s`, or several from large to small, such as `1h30m`.

    A timedelta passes as it is.
    """
    if isinstance(value, timedelta):
        return value
    text = _text(value)
    if not _DURATION.fullmatch(text):
        raise refuse(*_duration_fault(text))
    return timedelta(
        seconds=sum(int(part[:-1]) * _UNITS[part[-1]] for part in re.findall(r"[0-9]+[dhms]", text))
    )


def format_duration(duration: timedelta) -> str:
    """The text that `parse_duration` reads as this duration, in whole seconds."""
    left, parts = int(duration.total_seconds()), []
    for unit, seconds in _UNITS.items():
        amount, left = divmod(left, seconds)
        if amount:
            parts.append(f"{amount}{unit}")
    return "".join(parts) or "0s"


def parse_size(value: object) -> int:
    """GiB of `100GiB` or `2TiB`; an int is GiB already. Units of 1000 are not what EC2 sells."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = _text(value)
    if not _SIZE.fullmatch(text):
        raise refuse(*_size_fault(text))
    return int(text[:-3]) * (GIB_PER_TIB if text.endswith("TiB") else 1)


def parse_price(value: object) -> Decimal:
    """USD per hour, such as `0.60`."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value)
    text = _text(value)
    if not _PRICE.fullmatch(text):
        raise refuse(*_price_fault(text))
    return Decimal(text)


def parse_switch(value: object) -> bool | None:
    """`true` or `false`; a bool passes as it is. YAML's other words are its own: to a person `off` is a text."""
    if value is None or isinstance(value, bool):
        return value
    text = _text(value)
    if text not in {"true", "false"}:
        meant = "false" if text.lower() in {"no", "off", "false", "n", "0"} else "true"
        raise refuse(f"{shown(text)} is neither true nor false", f"write {meant}")
    return text == "true"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise refuse(f"is of the type {type(value).__name__}", "give it as text")
    return value


def _duration_fault(text: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]{1,5}", text):
        return f"{shown(text)} has no unit", f"write {text}h for hours or {text}m for minutes"
    if text.startswith("-"):
        return f"{shown(text)} is negative", "write how long from the launch on, such as 8h"
    return f"{shown(text)} is not a duration", "write it like 8h, 90m, 2d or 1h30m"


def _size_fault(text: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]{1,6}", text):
        return f"{shown(text)} has no unit", f"write {text}GiB"
    loose = _LOOSE_SIZE.fullmatch(text)
    if not loose:
        return f"{shown(text)} is not a size", "write it like 100GiB or 2TiB"
    gib = Decimal(loose[1]) * (GIB_PER_TIB if loose[2] in "tT" else 1)
    return f"{shown(text)} is not in GiB, EC2's unit", f"write {int(gib)}GiB"


def _price_fault(text: str) -> tuple[str, str]:
    stripped = text.strip("$ USDusd/h").replace(",", ".")
    written = stripped if _PRICE.match(stripped) else "0.60"
    return (
        f"{shown(text)} is not a price",
        f"write USD per hour as a plain number, such as {written}",
    )
