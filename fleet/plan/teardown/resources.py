"""One resource of any kind, as a teardown and a sweep see it: what it is, whose it is, how old, what it holds on to.

Pure. Only what carries a fleet's name and our own mark is ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from fleet.plan import tags
from fleet.plan.facts.environment import LIVE_STATES

Kind = Literal[
    "instances", "spot_requests", "volumes", "network_interfaces", "security_groups", "key_pairs",
    "launch_templates", "images", "snapshots", "parameters",
]  # fmt: skip
Key = tuple[Kind, str]

KINDS: tuple[Kind, ...] = (
    "instances", "spot_requests", "volumes", "network_interfaces", "security_groups", "key_pairs",
    "launch_templates", "images", "snapshots", "parameters",
)  # fmt: skip
"""Every kind that a fleet may leave behind, in the order of a receipt."""


@dataclass(frozen=True)
class Resource:
    """A resource that carries a fleet's tag.

    `made_at` is None where EC2 tells no time (security groups, network interfaces). `instance_id` is the
    instance that it is attached to, or that a Spot request launched; `device` the volume's name there;
    `ends_with_instance` whether EC2 deletes it then. `detail` is an instance or volume type, `market` an instance's.
    """

    kind: Kind
    resource_id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    made_at: datetime | None = None
    instance_id: str | None = None
    ends_with_instance: bool = False
    device: str = ""
    detail: str = ""
    market: str = ""
    public_address: bool = False
    size_gib: int = 0
    iops: int | None = None
    throughput: int | None = None
    snapshot_ids: tuple[str, ...] = ()

    @property
    def key(self) -> Key:
        """Tell it from every other resource of the region."""
        return self.kind, self.resource_id

    @property
    def fleet(self) -> str:
        """Name of the fleet."""
        return self.tags.get(tags.FLEET, "")

    @property
    def member(self) -> str | None:
        """The person's name in the fleet, where the resource is one person's."""
        return self.tags.get(tags.MEMBER)

    @property
    def ours(self) -> bool:
        """Whether we made it: the mark stands beside the fleet's name."""
        return bool(self.fleet) and self.tags.get(tags.MANAGED_BY) == tags.MAKER

    @property
    def kept(self) -> bool:
        """Whether somebody asked to keep it (`down --keep-volumes`)."""
        return tags.KEPT in self.tags

    @property
    def ended(self) -> bool:
        """Whether it is an instance of which EC2 says terminated: nothing else counts as gone."""
        return self.kind == "instances" and self.state == "terminated"

    @property
    def live(self) -> bool:
        """Whether it is an instance that is neither terminated nor on its way there."""
        return self.kind == "instances" and self.state in LIVE_STATES


@dataclass(frozen=True)
class Inventory:
    """Everything with a fleet's tag that a look found; `unread` says why a kind could not be looked at."""

    resources: tuple[Resource, ...]
    unread: Mapping[Kind, str] = field(default_factory=dict)

    @property
    def instances(self) -> tuple[Resource, ...]:
        """The instances in every state."""
        return tuple(r for r in self.resources if r.kind == "instances")


def with_instance_tags(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """Give a Spot request that has no tags those of its instance; drop what belongs to no fleet.

    CreateFleet puts no tags on the Spot requests that it makes for On-Demand-first templates.
    Volumes and interfaces learn from their instance which member's they are.
    """
    found = tuple(resources)
    owners = {r.resource_id: r for r in found if r.kind == "instances"}
    return tuple(r for one in found if (r := _with_owner(one, owners)).fleet)


def _with_owner(resource: Resource, owners: Mapping[str, Resource]) -> Resource:
    owner = owners.get(resource.instance_id or "")
    if owner is None:
        return resource
    if resource.kind == "spot_requests" and not resource.fleet:
        return replace(resource, tags=owner.tags)
    if resource.member is None and owner.member is not None and resource.fleet == owner.fleet:
        return replace(resource, tags={**resource.tags, tags.MEMBER: owner.member})
    return resource


def releasable(inventory: Inventory) -> tuple[Resource, ...]:
    """Give what we made and may take away: not what has ended, no image that is stable, nor its snapshots."""
    stable = {
        snapshot
        for r in inventory.resources
        if r.kind == "images" and _stable(r)
        for snapshot in r.snapshot_ids
    }
    return tuple(
        r
        for r in inventory.resources
        if r.ours and not r.ended and not _stable(r) and r.resource_id not in stable
    )


def _stable(resource: Resource) -> bool:
    return (
        resource.kind in {"images", "snapshots"} and resource.tags.get(tags.STATUS) == tags.STABLE
    )


def by_kind(resources: Iterable[Resource]) -> dict[Kind, tuple[str, ...]]:
    """Sort ids by kind; every kind is there, in the order of a receipt."""
    found = tuple(resources)
    return {kind: tuple(r.resource_id for r in found if r.kind == kind) for kind in KINDS}
