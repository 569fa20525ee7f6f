"""Who stands in for whom, while EC2 takes an instance back and another one is there already. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fleet.plan.environment.report import FleetReport
from fleet.plan.facts.environment import InstanceFact


def one_each(instances: Sequence[InstanceFact]) -> tuple[InstanceFact, ...]:
    """Leave out what EC2 is taking back where another instance of the member stays."""
    staying = {i.member for i in instances if i.member and i.live and not i.leaving}
    return tuple(i for i in instances if not (i.leaving and i.member in staying))


def leaving_words(instance: InstanceFact, instances: Iterable[InstanceFact]) -> str:
    """Say of an instance that EC2 is taking back when it goes, and who stands in."""
    at = instance.taken_back_at
    when = f"at about {at:%H:%M:%S}Z" if at else "within two minutes"
    stands_in = [
        i.instance_id
        for i in instances
        if i.member and i.member == instance.member and i.live and not i.leaving
    ]
    then = f"{stands_in[0]} stands in" if stands_in else "`fleet up` replaces it"
    return f"EC2 takes it back {when}: {then}"


def leaving_notes(instances: Sequence[InstanceFact]) -> Iterable[str]:
    """Say for a plan what EC2 is taking back."""
    for instance in instances:
        if instance.leaving:
            who = f" ({instance.member})" if instance.member else ""
            yield f"{instance.instance_id}{who}: {leaving_words(instance, instances)}"


def new_addresses(report: FleetReport, before: Iterable[InstanceFact]) -> tuple[str, ...]:
    """Give the members whose links lead to another address than those that they were given before."""
    known: dict[str, set[str | None]] = {}
    for instance in before:
        if instance.member:
            known.setdefault(instance.member, set()).add(instance.instance_id)
    return tuple(
        one.member
        for one in report.environments
        if one.member in known
        and one.state == "ready"
        and one.instance_id not in known[one.member]
        and not one.inside_ssh
    )
