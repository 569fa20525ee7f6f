"""Reads the name and the options of a fault. Raises UsageError with one line: what, where, remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from fleet.errors import UsageError
from fleet.sandbox.faults.conditions import Conditions, Option
from fleet.sandbox.faults.kinds import KINDS, Kind


def read_kind(name: str) -> Kind:
    """The kind of that name; a typo is answered with the nearest one."""
    kind = KINDS.get(name)
    if kind is None:
        remedy = near(name, KINDS) or f"one of {', '.join(KINDS)}"
        raise UsageError(f"there is no fault {name!r}", remedy=remedy)
    return kind


def read_conditions(name: str, options: Mapping[str, str]) -> Conditions:
    """The conditions of a fault of kind `name`; `options` are texts by flag, without dashes."""
    kind = read_kind(name)
    known = {option.flag: option for option in kind.options}
    values: dict[str, Any] = {}
    for flag, text in options.items():
        option = known.get(flag)
        if option is None:
            flags = [f"--{each}" for each in known]
            remedy = near(f"--{flag}", flags) or f"it knows {', '.join(flags)}"
            raise UsageError(f"fault {name} has no option --{flag}", remedy=remedy)
        values[option.field] = _value(option, text)
    missing = next((flag for flag in kind.required if flag not in options), None)
    if missing is not None:
        raise UsageError(f"fault {name} needs --{missing}", remedy=f"for example: {kind.example}")
    return Conditions(**values)


def near(name: str, known: Iterable[str]) -> str:
    """A question for the nearest of the known names; empty where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean {found[0]}?" if found else ""


def _value(option: Option, text: str) -> object:
    try:
        return option.read(text)
    except ValueError as error:
        raise UsageError(
            f"--{option.flag} {text!r} cannot be read", remedy=f"give {error}"
        ) from error
