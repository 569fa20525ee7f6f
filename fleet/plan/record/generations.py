"""Which generation a member's token begins with on a new instance, as it is kept beside the fleet's secrets. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

ALL = "*"
"""Stands for every member of which nothing else is known. No member has this name."""

_MOST_CHARACTERS = 3500
"""Parameter Store takes 4 KB."""


@dataclass(frozen=True)
class Generations:
    """The generations that new instances begin with, so that no token comes back that was rotated away."""

    by_member: Mapping[str, int] = field(default_factory=dict)

    def of(self, member: str) -> int:
        """Give a member's generation; 1 where nothing was ever rotated."""
        return self.by_member.get(member, self.by_member.get(ALL, 1))

    def raised(self, generation: int, members: Collection[str] | None) -> Generations:
        """Give those after a rotation of some members, or of all."""
        if members is None:
            return Generations({ALL: generation})
        found = Generations({**self.by_member, **dict.fromkeys(members, generation)})
        if len(found.text) > _MOST_CHARACTERS:
            return Generations({ALL: max(found.by_member.values())})
        return found

    @property
    def text(self) -> str:
        """Write them as they are kept."""
        return json.dumps(dict(sorted(self.by_member.items())), separators=(",", ":"))


def parse_generations(text: str | None) -> Generations:
    """Read what is kept; none for no text and for what is none."""
    try:
        found = json.loads(text or "{}")
        return Generations({str(name): int(number) for name, number in found.items()})
    except (ValueError, AttributeError, TypeError):
        return Generations()
