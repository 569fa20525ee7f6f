"""Releases resources: just those that it is given, in an order in which EC2 lets them go, kinds side by side.

    Spot requests -> terminate -> wait for `terminated` -> interfaces -> security groups -> launch templates
                         |                             -> volumes
                         +-> key pairs, parameters, images -> snapshots

What AWS refuses is written down and the rest goes on. Run again after a crash it goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from fleet.aws.inventory import READERS
from fleet.aws.key_pairs import delete_key_pair
from fleet.aws.launch_templates import delete_launch_template
from fleet.aws.parameters import delete_parameters
from fleet.aws.snapshots import delete_snapshot, deregister_image
from fleet.aws.spot_requests import cancel_spot_requests
from fleet.plan.teardown.resources import Kind, Resource
from fleet.side_by_side import side_by_side
from fleet.workflows.teardown.release_attempts import ReleaseAttempts, paced
from fleet.workflows.teardown.security_groups import release_group
from fleet.workflows.teardown.terminate import Termination
from fleet.workflows.teardown.volumes_and_interfaces import VolumesOrInterfaces


def release(
    attempts: ReleaseAttempts,
    resources: Sequence[Resource],
    *,
    fleet: str | None,
    newcomers: bool = False,
) -> tuple[Resource, ...]:
    """Release resources; what is refused stands in `attempts` afterwards. Raises only where AWS cannot be asked at all.

    `fleet` narrows what is looked at meanwhile (None: all fleets). With `newcomers` an instance of the
    fleet that becomes visible meanwhile ends too, unless it was refused before; gives those.
    """
    work = _Release(attempts, resources, fleet, newcomers=newcomers)
    work.run()
    return work.newcomers


class _Release:
    def __init__(
        self,
        attempts: ReleaseAttempts,
        resources: Sequence[Resource],
        fleet: str | None,
        *,
        newcomers: bool,
    ) -> None:
        self._attempts = attempts
        self._context = attempts.context
        self._aws = aws = attempts.context.aws
        self._resources, self._fleet = resources, fleet
        self._termination = Termination(
            self._attempts,
            self._of("instances"),
            look=lambda: READERS["instances"](aws, fleet),
            newcomers=newcomers,
        )

    @property
    def newcomers(self) -> tuple[Resource, ...]:
        """Instances that were not among those to release."""
        return self._termination.appeared

    def run(self) -> None:
        """Start what depends on nothing beside the instances' end, then what depends on it."""
        self._spot_requests()
        # Not waited for: after an interrupt each step ends at its next pause.
        broken_off = self._context.interrupted.set
        with side_by_side(4, wait_on_error=False, on_error=broken_off) as pool:
            self._termination.begin()
            early = [pool.ask(step) for step in (self._key_pairs, self._parameters, self._images)]
            self._termination.wait()
            volumes = pool.ask(self._outliving("volumes").run)
            self._outliving("network_interfaces").run()
            for group in self._of("security_groups"):
                release_group(self._attempts, group, termination=self._termination)
            for done in (*early, volumes):
                done()
        # Last, for it makes a half-taken-down fleet show in `fleet ls`.
        self._one_by_one("launch_templates", self._launch_template)

    def _of(self, kind: Kind) -> tuple[Resource, ...]:
        return tuple(one for one in self._resources if one.kind == kind)

    def _outliving(self, kind: Kind) -> VolumesOrInterfaces:
        return VolumesOrInterfaces(
            self._attempts, self._of(kind), fleet=self._fleet, termination=self._termination
        )

    def _one_by_one(self, kind: Kind, act: Callable[[str], None]) -> None:
        for one in paced(self._context, self._of(kind)):
            self._attempts.attempt([one], partial(act, one.resource_id))

    def _spot_requests(self) -> None:
        """First of all: a persistent request would launch again what we terminate."""
        found = self._of("spot_requests")
        ids = [one.resource_id for one in found]
        self._attempts.attempt(found, partial(cancel_spot_requests, self._aws, request_ids=ids))

    def _parameters(self) -> None:
        found = self._of("parameters")
        names = [one.resource_id for one in found]
        self._attempts.attempt(found, partial(delete_parameters, self._aws, names=names))

    def _key_pairs(self) -> None:
        self._one_by_one("key_pairs", lambda i: delete_key_pair(self._aws, key_pair_id=i))

    def _images(self) -> None:
        """Images first: EC2 keeps a snapshot that an image needs."""
        self._one_by_one("images", lambda i: deregister_image(self._aws, image_id=i))
        self._one_by_one("snapshots", lambda i: delete_snapshot(self._aws, snapshot_id=i))

    def _launch_template(self, template_id: str) -> None:
        delete_launch_template(self._aws, template_id=template_id)
