"""The faults of one cloud, switched on, listed and cleared: by tests in-process, by the daemon for
`fleet sandbox fault`.

The registry counts; here is what only a cloud can check: that an action exists, that an instance is
there to be interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

import botocore.session

from fleet.errors import UsageError
from fleet.sandbox.cloud.ec2 import instance_faults
from fleet.sandbox.cloud.notices import RebalanceNotice, SpotNotice
from fleet.sandbox.faults.reading import near, read_conditions

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.backend import SandboxEc2
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.cloud.state import CloudState
    from fleet.sandbox.faults.registry import Fault

_SERVICES = {
    "ec2": "ec2",
    "ssm": "ssm",
    "sts": "sts",
    "iam": "iam",
    "pricing": "pricing",
    "servicequotas": "service-quotas",
}
"""Services by the name in a signature and in IAM, and botocore's name of their model. S3's requests
carry no action.
"""


_HOW = frozenset({"notice", "cause"})
"""Options that say how instances are interrupted, not which."""


class CloudFaults:
    """What a fault needs of one cloud. `regions` gives the Regions that were touched so far."""

    def __init__(self, state: CloudState, regions: Callable[[], list[SandboxEc2]]) -> None:
        self._state = state
        self._regions = regions

    def add(self, name: str, /, **options: str | float) -> Fault:
        """Switch on a fault: `add("no-capacity", type="g5.xlarge", calls=2)`.

        A flag's dashes are underscores here, and `for` is `for_`. Raises UsageError with one line.
        """
        flags = {flag.strip("_").replace("_", "-"): f"{text}" for flag, text in options.items()}
        return self.switch_on(name, flags)

    def switch_on(self, name: str, options: Mapping[str, str]) -> Fault:
        """The same with the options as texts by flag."""
        conditions = read_conditions(name, options)
        if conditions.action is not None:
            _require_action(conditions.action)
        with self._state.lock:
            if name == "spot-interruption":
                return self._interrupt(options)
            if name == "spot-rebalance":
                return self._recommend(options)
            return self._state.faults.add(name, options)

    def all(self) -> list[Fault]:
        """Every fault that was not cleared, with its hits."""
        return self._state.faults.all()

    def clear(self, *which: str) -> list[Fault]:
        """Switch faults off by id or name, or all of them. An interruption is called off, a recommendation gone."""
        with self._state.lock:
            gone = self._state.faults.clear(*which)
            ids = {fault.id for fault in gone}
            for notices in (self._state.spot_notices, self._state.rebalance_notices):
                for instance_id in [i for i, one in notices.items() if one.fault_id in ids]:
                    notices.pop(instance_id)
        return gone

    def describe(self, fault: Fault) -> dict[str, object]:
        """A fault as JSON. `interrupts`: the instances that have a notice of it."""
        now = self._state.faults.clock()
        notices = self._state.spot_notices.items()
        with self._state.lock:
            interrupts = {i: n.document for i, n in notices if n.fault_id == fault.id}
        return {
            "id": fault.id,
            "name": fault.kind.name,
            "options": dict(fault.options),
            "unit": fault.kind.unit,
            "hits": fault.hits,
            "left": fault.left,
            "seconds_left": fault.seconds_left(now),
            "over": fault.over(now),
            "interrupts": interrupts,
        }

    def _interrupt(self, options: Mapping[str, str]) -> Fault:
        """Give the notice to every Spot Instance that the options name. The lock is held."""
        conditions = read_conditions("spot-interruption", options)
        seconds, now = conditions.notice_seconds, self._state.now()
        fault, spot = self._meant("spot-interruption", options)
        fault.until = self._state.faults.clock() + seconds
        when = now + timedelta(seconds=seconds)
        for backend, instance in spot:
            fault.hits += 1
            notice = SpotNotice("terminate", when, fault.id, now, conditions.cause)
            backend.lives.interrupt(instance, notice, seconds=seconds)
        return fault

    def _recommend(self, options: Mapping[str, str]) -> Fault:
        """Tell every Spot Instance that the options name, until the fault is cleared. The lock is held."""
        fault, spot = self._meant("spot-rebalance", options)
        for _, instance in spot:
            fault.hits += 1
            notice = RebalanceNotice(self._state.now(), fault.id)
            self._state.rebalance_notices[instance.id] = notice
        return fault

    def _meant(
        self, name: str, options: Mapping[str, str]
    ) -> tuple[Fault, list[tuple[SandboxEc2, SandboxInstance]]]:
        """Add the fault, and give the Spot Instances that it befalls. Raises UsageError where there is none."""
        fault = self._state.faults.add(name, options)
        found = [(b, i) for b in self._regions() for i in _alive(b, fault)]
        spot = [(b, i) for b, i in found if i.lifecycle == "spot"]
        if not spot:
            self._state.faults.clear(fault.id)
            raise _nobody_to_interrupt([instance for _, instance in found], options)
        return fault, spot


def _alive(backend: SandboxEc2, fault: Fault) -> list[SandboxInstance]:
    return [
        instance
        for instance in backend.sandbox_instances()
        if instance.counted and instance_faults.befalls(instance)(fault)
    ]


def _nobody_to_interrupt(found: list[SandboxInstance], options: Mapping[str, str]) -> UsageError:
    asked = " ".join(f"--{flag} {text}" for flag, text in options.items() if flag not in _HOW)
    if found:
        return UsageError(
            f"{found[0].id} is On-Demand: EC2 interrupts only Spot Instances",
            remedy="launch with --market spot",
        )
    return UsageError(
        f"no running instance is like {asked}" if asked else "no instance runs",
        remedy="see `fleet ls` and `fleet status NAME`",
    )


@cache
def _actions(service: str) -> frozenset[str]:
    model = botocore.session.get_session().get_service_model(_SERVICES[service])
    return frozenset(model.operation_names)


def _require_action(pattern: str) -> None:
    """Raise UsageError where no action of the service, or of any, is like the pattern."""
    service, _, action = pattern.rpartition(":")
    if service and service not in _SERVICES:
        remedy = near(service, _SERVICES) or f"one of {', '.join(_SERVICES)}"
        raise UsageError(f"the sandbox has no service {service!r} with actions", remedy=remedy)
    known = {name for each in ([service] if service else _SERVICES) for name in _actions(each)}
    if not any(fnmatchcase(name, action) for name in known):
        remedy = near(action, known) or "give AWS's own name, such as CreateFleet"
        raise UsageError(f"there is no API action {pattern!r}", remedy=remedy)
