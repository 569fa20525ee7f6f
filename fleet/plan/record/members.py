"""Parts the members of a spec: who keeps, starts or adopts an instance, and who needs a new one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.hardware import Market
from fleet.spec.model import Member


@dataclass(frozen=True)
class Assignment:
    """A member and the instance that is the member's."""

    member: Member
    instance: InstanceFact


@dataclass(frozen=True)
class Split:
    """The members, parted.

    `keep`, `start`, `adopt` and `launch` are all of them: who has a running instance, who has a stopped one, who gets
    an instance that nobody has, and who needs a new one. `surplus` are instances that nobody in the spec has.
    """

    keep: tuple[Assignment, ...]
    start: tuple[Assignment, ...]
    adopt: tuple[Assignment, ...]
    launch: tuple[Member, ...]
    surplus: tuple[InstanceFact, ...]

    @property
    def assigned(self) -> tuple[Assignment, ...]:
        """Who has an instance, or gets one that is there."""
        return (*self.keep, *self.start, *self.adopt)

    @property
    def size(self) -> int:
        """How many instances there will be, surplus ones too."""
        return len(self.assigned) + len(self.launch) + len(self.surplus)

    @property
    def started_choices(self) -> tuple[tuple[str, Market], ...]:
        """Type and market of each stopped instance that is to start."""
        return tuple((a.instance.instance_type, a.instance.market) for a in self.start)


def split_members(members: Sequence[Member], instances: Iterable[InstanceFact]) -> Split:
    """Part the members: who keeps, starts or adopts an instance, and who needs a new one.

    What EC2 is taking back is nobody's any more: neither kept nor surplus.
    """
    live = _by_age(instance for instance in instances if instance.live and not instance.leaving)
    owners = {instance.member: instance for instance in reversed(live) if instance.member}
    spare = [i for i in live if i.member is None and i.state in {"pending", "running"}]
    keep, start, adopt, launch = [], [], [], []
    for member in members:
        owned = owners.get(member.name)
        if owned is None and spare:
            adopt.append(Assignment(member, spare.pop(0)))
        elif owned is None:
            launch.append(member)
        elif owned.state in {"stopped", "stopping"}:
            start.append(Assignment(member, owned))
        else:
            keep.append(Assignment(member, owned))
    used = {a.instance.instance_id for a in (*keep, *start, *adopt)}
    surplus = tuple(instance for instance in live if instance.instance_id not in used)
    return Split(tuple(keep), tuple(start), tuple(adopt), tuple(launch), surplus)


def _by_age(instances: Iterable[InstanceFact]) -> list[InstanceFact]:
    return sorted(instances, key=lambda one: (one.launched_at, one.instance_id))
