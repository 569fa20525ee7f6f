"""What the writer probably meant: for keys and choices that are none.

Takes the word as written and what stands in the table, gives the message and the remedy.
"""

from __future__ import annotations

import difflib

from fleet.spec.forms import Keys, Table, kind_of
from fleet.spec.refusal import shown


def unknown_key(name: str, form: Keys, path: str, table: Table) -> tuple[str, str, str]:
    """The message, the remedy, and the key that was probably meant."""
    names = _names(form)
    if name == "<<":
        return "merge keys (<<) mean nothing here", "write the keys out", ""
    message = f"unknown key {shown(path + name)}"
    if near := nearest(name, names, table):
        return message, f"did you mean '{near}'?", near
    for outer, inner in table.maps:
        if name in _names(inner):
            return message, f"it belongs under '{outer}'", ""
    if goes_with := [kind_of(kind) for kind in table.kinds if name in _names(kind)]:
        return message, f"it goes with '{goes_with[0]}'", ""
    return message, f"the keys here are {', '.join(names)}", ""


def nearest(name: str, names: list[str], table: Table) -> str:
    """The key that was probably meant, if there is one."""
    close = difflib.get_close_matches(name.lower(), names, n=1)
    synonym = table.synonyms.get(name.lower(), "")
    return synonym if synonym in names else close[0] if close else ""


def _names(form: Keys) -> list[str]:
    return [key.name for key in form.keys]


def no_choice(text: str, choices: tuple[str, ...]) -> tuple[str, str]:
    """The message and the remedy for a text that is none of the choices."""
    message = f"{shown(text)} is not one that fleet knows"
    near = difflib.get_close_matches(text.lower(), choices, n=1, cutoff=0.5)
    if near:
        return message, f"did you mean {near[0]}?"
    return message, f"write {', '.join(choices[:-1])} or {choices[-1]}"
