"""Names of members that a file system, a shell and ssh_config can bear: `workshop-jose` for José of fleet workshop.

Pure. A name of plain letters, digits and dashes stays as it is, whoever else is in the fleet.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from fleet.plan.record.tokens import digest

_LONGEST = 40
# Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)


def aliases(fleet: str, members: Iterable[str]) -> dict[str, str]:
    """Give each member's alias: a-z, 0-9 and dashes, unlike all others of the fleet, at most 80 characters.

    Where two names come to the same plain letters, or a name has none, a part of the name's hash follows.
    """
    names = tuple(members)
    shared = Counter(_plain(name) for name in names)
    return {name: f"{fleet}-{_own(name, alone=shared[_plain(name)] == 1)}" for name in names}


def _own(name: str, *, alone: bool) -> str:
    plain = _plain(name)
    if name == plain or (plain and alone):
        return plain
    return f"{plain or 'member'}-{digest(name)[:8]}"


def _plain(name: str) -> str:
    apart = unicodedata.normalize("NFKD", name.casefold().translate(_PLAIN))
    letters = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_LONGEST].rstrip("-")
