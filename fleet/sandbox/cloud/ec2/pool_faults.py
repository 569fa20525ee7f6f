"""Faults that befall a launch into a pool: what EC2 has not, what the account may not.

Asked by the launcher under the cloud's lock; gives EC2's errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.sandbox.cloud.call_faults import denies
from fleet.sandbox.cloud.denials import denied_in_code
from fleet.sandbox.cloud.ec2 import faults
from fleet.sandbox.cloud.words import words_of

if TYPE_CHECKING:
    from fleet.sandbox.cloud.capacity import Market
    from fleet.sandbox.cloud.ec2.spec import LaunchSpec
    from fleet.sandbox.faults.registry import Fault, Faults, Matches


def refusal(registry: Faults, spec: LaunchSpec, zone: str) -> faults.Ec2Error | None:
    """The error of the fault that keeps the spec out of its pool, with another cause than capacity
    and quota.
    """
    fault = registry.met("pool-error", in_pool(spec.instance_type, zone, spec.market))
    if fault is not None:
        code = fault.conditions.code or ""
        return faults.Ec2Error(code, fault.conditions.message or words_of(code))
    if spec.fleet_id and registry.met("deny", lambda fault: denies(fault, "RunInstances")):
        return faults.Ec2Error("UnauthorizedOperation", denied_in_code("ec2:RunInstances"))
    return None


def over_quota(registry: Faults, spec: LaunchSpec, zone: str) -> bool:
    """Whether a fault says that the account may not launch the spec."""
    return bool(registry.met("quota-exceeded", in_pool(spec.instance_type, zone, spec.market)))


def no_capacity(registry: Faults, spec: LaunchSpec, zone: str) -> bool:
    """Whether a fault has emptied the pool."""
    return bool(registry.met("no-capacity", in_pool(spec.instance_type, zone, spec.market)))


def seems_empty(registry: Faults, instance_type: str, zone: str, market: Market) -> bool:
    """The same of a pool that nobody launches into now: no hit."""
    return registry.threatened("no-capacity", in_pool(instance_type, zone, market))


def most_of_a_fleet(registry: Faults) -> int | None:
    """How many instances this CreateFleet may bring; None is as many as it asks for."""
    fault = registry.met("partial-fleet", lambda _: True)
    return None if fault is None else fault.conditions.room


def in_pool(instance_type: str, zone: str, market: Market) -> Matches:
    """Whether a fault befalls the pool."""

    def matches(fault: Fault) -> bool:
        asked = fault.conditions
        return (
            asked.instance_type in {None, instance_type}
            and asked.zone in {None, zone}
            and asked.market in {None, market}
        )

    return matches
