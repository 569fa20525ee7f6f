"""Volumes and network interfaces: most end with their instance; what does not, or lingers, is deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from fleet.aws.clients import Aws
from fleet.aws.inventory import READERS
from fleet.aws.network import delete_network_interface
from fleet.aws.volumes import delete_volume
from fleet.errors import InUseError
from fleet.plan.teardown.resources import Kind, Resource
from fleet.workflows.teardown.release_attempts import ReleaseAttempts, paced, pauses
from fleet.workflows.teardown.terminate import GRACE_SECONDS, Termination

_LINGER_SECONDS = 20.0
"""EC2 deletes what ends with an instance shortly after `terminated`; past this we delete it ourselves."""


def _delete_volume(aws: Aws, resource_id: str) -> None:
    delete_volume(aws, volume_id=resource_id)


def _delete_interface(aws: Aws, resource_id: str) -> None:
    delete_network_interface(aws, interface_id=resource_id)


_DELETE: dict[Kind, Callable[[Aws, str], None]] = {
    "volumes": _delete_volume,
    "network_interfaces": _delete_interface,
}


class VolumesOrInterfaces:
    """The volumes, or the interfaces, of one release."""

    def __init__(
        self,
        attempts: ReleaseAttempts,
        resources: Sequence[Resource],
        *,
        fleet: str | None,
        termination: Termination,
    ) -> None:
        self._attempts = attempts
        self._context = attempts.context
        self._fleet = fleet
        self._termination = termination
        self._waiting = {one.resource_id: one for one in resources}

    def run(self) -> None:
        """Wait, and delete what has to be deleted; past the deadline the rest is written down."""
        began = self._context.clock()
        for pause in pauses(self._context):
            if not self._waiting:
                return
            late = self._context.clock() - began
            self._look(late)
            if late >= self._context.deadlines.terminated:
                for one in self._waiting.values():
                    self._attempts.refuse(one, f"still there after {late:.0f} s")
                return
            if self._waiting:
                self._context.sleep(pause)

    def _look(self, late: float) -> None:
        kind = next(iter(self._waiting.values())).kind
        there = {one.resource_id: one for one in READERS[kind](self._context.aws, self._fleet)}
        self._waiting = {i: one for i, one in self._waiting.items() if i in there}
        if any(self._unknown(there[i]) for i in self._waiting):
            self._termination.look_again()
        for resource_id in [i for i in self._waiting if self._held(there[i], late)]:
            holder = there[resource_id].instance_id
            one = self._waiting.pop(resource_id)
            self._attempts.refuse(one, f"attached to instance {holder}, which stays")
        free = [one for i, one in self._waiting.items() if there[i].state == "available"]
        lingering = late >= _LINGER_SECONDS
        ours = [one for one in free if lingering or not self._ends_by_itself(one)]
        for one in paced(self._context, ours):
            self._attempts.attempt([one], partial(self._delete, one))
            if one.key in self._attempts.refused:
                self._waiting.pop(one.resource_id)

    def _delete(self, one: Resource) -> None:
        try:
            _DELETE[one.kind](self._context.aws, one.resource_id)
        except InUseError:
            return  # the next look sees it again
        self._waiting.pop(one.resource_id)

    def _unknown(self, now: Resource) -> bool:
        """Whether it is attached to an instance that we do not end: a foreign one, or one not visible yet."""
        return now.instance_id is not None and not self._termination.ends(now.instance_id)

    def _held(self, now: Resource, late: float) -> bool:
        """Whether its instance stays; "not visible" counts as foreign only after the grace."""
        if not self._unknown(now):
            return False
        return late >= GRACE_SECONDS or self._termination.stays(now.instance_id or "")

    def _ends_by_itself(self, one: Resource) -> bool:
        return one.ends_with_instance and self._termination.ends(one.instance_id or "")
