"""The receipt of a teardown: what was released, what a last look over every kind still found, what was kept.

`as_json` is the settled shape for scripts; a field that is not known is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.plan.teardown.leftovers import Leftover, ids_by_kind
from fleet.plan.teardown.resources import KINDS, Key, Kind


@dataclass(frozen=True)
class Receipt:
    """What a teardown released and left, by kind.

    `kept` are volumes that stay by request. `already_gone` names what had ended before, or was missing;
    `foreign` what carries the fleet's name without our mark and was not touched; `unread` the kinds
    that could not be looked at, and why: of those nothing is proven.
    """

    fleet: str
    region: str
    released: Mapping[Kind, tuple[str, ...]]
    left: tuple[Leftover, ...] = ()
    kept: tuple[Leftover, ...] = ()
    already_gone: tuple[Key, ...] = ()
    foreign: tuple[Key, ...] = ()
    unread: Mapping[Kind, str] | None = None

    @property
    def remaining(self) -> Mapping[Kind, tuple[str, ...]]:
        """Ids of what is left, by kind; every kind is there."""
        return ids_by_kind(self.left)

    @property
    def clean(self) -> bool:
        """Whether nothing at all is left that was to go, and every kind was looked at."""
        return not self.left and not self.unread

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of `down`."""
        return {
            "fleet": self.fleet,
            "region": self.region,
            "released": {kind: list(ids) for kind, ids in self.released.items()},
            "remaining": {kind: len(ids) for kind, ids in self.remaining.items()},
            "left": [one.as_json() for one in self.left],
            "kept": [one.as_json() for one in self.kept],
            "already_gone": _by_kind(self.already_gone),
            "foreign": _by_kind(self.foreign),
            "unread": dict(self.unread or {}),
        }


def _by_kind(keys: tuple[Key, ...]) -> dict[Kind, list[str]]:
    return {kind: ids for kind in KINDS if (ids := [i for k, i in keys if k == kind])}
