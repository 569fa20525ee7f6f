"""Chooses among the environments of a fleet: those of the members named, and only what runs."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.errors import FleetError, NothingFoundError
from fleet.plan.facts.environment import InstanceFact


def choose_members(
    instances: Sequence[InstanceFact], members: Sequence[str], fleet: str
) -> tuple[InstanceFact, ...]:
    """Give the instances of the members named, or all. Raises NothingFoundError for a name that is not there."""
    if not members:
        return tuple(instances)
    by_name = {instance.member: instance for instance in instances}
    for name in members:
        if name not in by_name:
            known = ", ".join(sorted(known for known in by_name if known))
            raise NothingFoundError(f"fleet {fleet} has no member {name}", remedy=f"it has {known}")
    return tuple(by_name[name] for name in members)


def require_running(instance: InstanceFact) -> None:
    """Raise FleetError where an instance does not run."""
    if instance.state != "running":
        raise FleetError(
            f"{instance.holder} is {instance.state}",
            remedy="run `fleet up` on its spec again",
        )
