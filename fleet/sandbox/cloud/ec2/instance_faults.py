"""Faults that befall instances, each counted by instance. Asked under the cloud's lock.

Only a Spot interruption can be meant for a member: whose a new instance is, is known once it runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.sandbox.cloud.words import words_of
from fleet.sandbox.driver import Ailment
from fleet.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.cloud.state import CloudState
    from fleet.sandbox.faults.registry import Fault, Matches

_OF_HOSTS = tuple(kind.name for kind in KINDS.values() if kind.of_host)
_LAUNCH_FAILED = "Server.InternalError"
_REASONS = {
    "Server.InternalError": "Internal error on launch",
    "Server.InsufficientInstanceCapacity": "There was insufficient capacity available to satisfy "
    "the request",
    "Client.InternalError": "Client error on launch",
    "Client.InvalidSnapshot.NotFound": "The specified snapshot was not found",
    "Client.VolumeLimitExceeded": "Volume limit exceeded",
    "Client.InstanceInitiatedShutdown": "Instance initiated shutdown",
}
"""EC2's words for a StateReason, from its API reference."""


def befalls(instance: SandboxInstance) -> Matches:
    """Whether a fault befalls the instance."""

    def matches(fault: Fault) -> bool:
        asked = fault.conditions
        tags = {tag["key"]: tag["value"] for tag in instance.get_tags()}
        return (
            asked.instance_type in {None, instance.instance_type}
            and asked.zone in {None, instance.availability_zone}
            and asked.fleet in {None, tags.get("fleet:name")}
            and asked.member in {None, tags.get("fleet:member")}
            and asked.instance_id in {None, instance.id}
        )

    return matches


def hide(state: CloudState, instance: SandboxInstance) -> None:
    """Let the new instance be invisible for a while where a fault says so."""
    fault = state.faults.met_by_instance("invisible", befalls(instance))
    if fault is not None:
        seconds = timedelta(seconds=fault.conditions.delay_seconds)
        instance.hidden_by = (fault.cleared, state.now() + seconds)


def visible(state: CloudState, instance: SandboxInstance) -> bool:
    """Whether descriptions know the instance already."""
    if instance.hidden_by is None:
        return True
    cleared, until = instance.hidden_by
    return cleared.is_set() or state.now() >= until


def death_while_pending(state: CloudState, instance: SandboxInstance) -> tuple[str, str] | None:
    """Code and message of the StateReason where a fault ends the instance before it runs."""
    fault = state.faults.met_by_instance("dies-pending", befalls(instance))
    if fault is None:
        return None
    code = fault.conditions.code or _LAUNCH_FAILED
    return code, fault.conditions.message or _REASONS.get(code) or words_of(code)


def ailments(state: CloudState, instance: SandboxInstance) -> tuple[Ailment, ...]:
    """What the new host is born with: one thing at most, so that one fleet meets them all."""
    for name in _OF_HOSTS:
        fault = state.faults.met_by_instance(name, befalls(instance))
        if fault is not None:
            return (Ailment(name, fault.conditions.amount),)
    return ()


def never_boots(state: CloudState, instance: SandboxInstance) -> bool:
    """Whether a fault keeps the host from booting."""
    return state.faults.met_by_instance("never-boots", befalls(instance)) is not None
