"""Whose environments ended on purpose, as it is kept beside the fleet's secrets: a watch leaves them ended. Pure.

EC2 forgets a terminated instance within the hour, and its tags sooner: without this, nobody would know it any more.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

_ALL = "*"
"""Stands for every member, where the names are too many to keep. No member has this name."""
_MOST_CHARACTERS = 3500
"""Parameter Store takes 4 KB."""


@dataclass(frozen=True)
class EndedMembers:
    """Members whose environments ended on purpose: by idle, by expiry, or taken away one by one."""

    names: frozenset[str] = frozenset()

    def has(self, member: str) -> bool:
        """Whether a member's environment ended on purpose."""
        return member in self.names or _ALL in self.names

    def with_more(self, members: Collection[str]) -> EndedMembers:
        """Give those and some more; where the names are too many to keep, everybody."""
        found = EndedMembers(self.names | frozenset(members))
        return found if len(found.text) <= _MOST_CHARACTERS else EndedMembers(frozenset({_ALL}))

    def without(self, members: Collection[str]) -> EndedMembers:
        """Give those but for some."""
        return EndedMembers(self.names - frozenset(members))

    @property
    def text(self) -> str:
        """Write them as they are kept."""
        return json.dumps(sorted(self.names), separators=(",", ":"))


def parse_ended(text: str | None) -> EndedMembers:
    """Read what is kept; nobody for no text and for what is none."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return EndedMembers()
    if not isinstance(found, list):
        return EndedMembers()
    return EndedMembers(frozenset(name for name in found if isinstance(name, str)))
