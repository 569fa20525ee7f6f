"""Plans a teardown: what to release, what to keep, what to leave alone because we did not make it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleet.errors import NothingFoundError
from fleet.plan import tags
from fleet.plan.teardown.resources import Inventory, Key, Kind, Resource, releasable

MOST_PER_TERMINATE = 1000
"""EC2's limit for one TerminateInstances, and the burst of its bucket of instances (EC2 API throttling)."""
TERMINATED_PER_SECOND = 20
"""Refill of that bucket."""
MUTATING_BURST = 50
"""Calls at once of an action that changes something, one resource per call."""
MUTATING_PER_SECOND = 5

_OF_A_MEMBER: frozenset[Kind] = frozenset(
    {"instances", "spot_requests", "volumes", "network_interfaces"}
)


@dataclass(frozen=True)
class Teardown:
    """What `down` will do. `members` is empty for the whole fleet.

    `keep` are volumes that stay by request; `foreign` carries the fleet's name without our mark;
    `already_gone` names what a whole fleet has and this one has no more.
    """

    fleet: str
    region: str
    members: tuple[str, ...]
    release: tuple[Resource, ...]
    keep: tuple[Resource, ...]
    foreign: tuple[Resource, ...]
    already_gone: tuple[Key, ...]
    unread: tuple[tuple[Kind, str], ...]

    @property
    def whole(self) -> bool:
        """Whether the whole fleet goes, with what its members share."""
        return not self.members


def plan_teardown(
    inventory: Inventory,
    *,
    fleet: str,
    region: str,
    members: Sequence[str] = (),
    keep_volumes: bool = False,
) -> Teardown:
    """Decide what goes. Raises NothingFoundError for a member that the fleet does not have."""
    _require_members(inventory, fleet, members)
    chosen = [r for r in releasable(inventory) if not members or _of_members(r, members)]
    keep = [r for r in chosen if keep_volumes and r.kind == "volumes"]
    release = [r for r in chosen if r not in keep]
    foreign = [r for r in inventory.resources if not r.ours and not r.ended]
    return Teardown(
        fleet=fleet,
        region=region,
        members=tuple(members),
        release=tuple(release),
        keep=tuple(keep),
        foreign=() if members else tuple(foreign),
        already_gone=_already_gone(inventory, release, fleet, members),
        unread=tuple(inventory.unread.items()),
    )


def _of_members(resource: Resource, members: Sequence[str]) -> bool:
    return resource.kind in _OF_A_MEMBER and resource.member in members


def _require_members(inventory: Inventory, fleet: str, members: Sequence[str]) -> None:
    known = sorted({r.member for r in inventory.resources if r.ours and r.member})
    for member in members:
        if member in known:
            continue
        near = difflib.get_close_matches(member, known, n=3)
        meant = f"did you mean {' or '.join(near)}?" if near else "`fleet status` shows its members"
        raise NothingFoundError(f"fleet {fleet} has no member {member}", remedy=meant)


def _already_gone(
    inventory: Inventory, release: Sequence[Resource], fleet: str, members: Sequence[str]
) -> tuple[Key, ...]:
    """What had ended before we came, and shared things that are missing although the fleet is there."""
    ended: list[Key] = [
        r.key for r in inventory.instances if r.ended and r.ours and _wanted(r, members)
    ]
    if members or not any(r.kind == "instances" for r in release):
        return tuple(ended)
    name = tags.resource_name(fleet)
    shared: tuple[Key, ...] = (
        ("security_groups", name),
        ("key_pairs", name),
        ("launch_templates", name),
        ("parameters", tags.parameter_path(fleet)),
    )
    there = {r.kind for r in inventory.resources} | set(inventory.unread)
    return (*ended, *(key for key in shared if key[0] not in there))


def _wanted(resource: Resource, members: Sequence[str]) -> bool:
    return not members or resource.member in members


def terminate_batches(
    instance_ids: Sequence[str],
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Give batches for TerminateInstances, each with the seconds to wait before it, as the bucket refills."""
    for start in range(0, len(instance_ids), MOST_PER_TERMINATE):
        batch = tuple(instance_ids[start : start + MOST_PER_TERMINATE])
        yield (len(batch) / TERMINATED_PER_SECOND if start else 0.0), batch
