"""Kills a run (SIGKILL) at a named AWS call, before it takes effect or after it, and says what stands then.

A call is named by its action and how often that was called before: "the 2nd PutParameter". Calls at the same
time come in any order, and so a number over all of them would name another call each time.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from fleet.plan.teardown.receipt import Receipt
from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.documents import ApiError
from fleet.sandbox.cloud.gate import ConnectionCut
from fleet.sandbox.cloud.settings import CloudSettings
from fleet.workflows.context import Context
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.sandbox.cloud.recording import Served, eventually
from tests.workflows import runs
from tests.workflows.conftest import read
from tests.workflows.points import Point, When, changes

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef, VolumeTypeDef

Standing = dict[str, list[str]]

BRISK = CloudSettings(
    pending_seconds=0.03, boot_seconds=0.0, shutting_down_seconds=0.03, terminated_seconds=10.0
)
"""An instance that is terminated stays described for who waits for it, and not for all the runs that follow."""
_SECONDS = 60
_TRIES = 5
"""A state that is asked for again and again is asked for less often in some runs than in others."""


def _nothing() -> None:
    pass


class Calls:
    """Counts the calls at a cloud's gate, and does something at one of them."""

    def __init__(self, served: Served) -> None:
        self._turn = threading.Condition()
        self._under_way: set[int] = set()
        self.restart()
        served.cloud.gate.checks.insert(0, self._arrived)
        served.cloud.gate.witnesses.append(self._answered)

    def restart(
        self, point: Point | None = None, when: When = "before", act: Callable[[], None] = _nothing
    ) -> None:
        """Count from 1; `act` once before the call at `point` takes effect, or once after that."""
        with self._turn:
            self._point, self._when, self._act = point, when, act
            self._watched: int | None = None
            self.seen: Counter[str] = Counter()

    def settle(self) -> None:
        """Wait until what a dead run had sent has taken effect."""
        with self._turn:
            assert self._turn.wait_for(lambda: not self._under_way, _SECONDS)

    def wait_for(self, count: int, process: BaseProcess) -> bool:
        """Wait until so many calls have come; False where the process that is to make them ended before."""
        until = time.monotonic() + _SECONDS
        with self._turn:
            while self.seen.total() < count and process.is_alive():
                assert time.monotonic() < until, f"{self.seen.total()} of {count} calls"
                self._turn.wait(0.02)
        return process.is_alive()

    def _arrived(self, call: Call) -> ApiError | None:
        with self._turn:
            self.seen[call.action] += 1
            self._turn.notify_all()
            self._under_way.add(call.number)
            meant = Point(call.action, self.seen[call.action]) == self._point
            if meant and self._when == "after":
                self._watched = call.number
            now = meant and self._when == "before"
        if now:
            try:
                self._act()
            except ConnectionCut:
                self._leave(call)
                raise
        return None

    def _answered(self, call: Call, _: object) -> None:
        try:
            if call.number == self._watched:
                self._act()
        finally:
            self._leave(call)

    def _leave(self, call: Call) -> None:
        with self._turn:
            self._under_way.discard(call.number)
            self._turn.notify_all()


@dataclass
class Yard:
    """A fleet in a served cloud, which is brought up, taken away, and killed meanwhile."""

    served: Served
    cache: Path
    spec: str
    calls: Calls = field(init=False)
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self.served)
        self.context = runs.context_over(self.served.url, self.cache, session=runs.warm_session())

    def up(self, spec: str = "") -> None:
        plan = prepare_up(self.context, read(spec or self.spec), folder=Path())
        apply_up(self.context, plan)

    def down(self, *, keep_volumes: bool = False) -> Receipt:
        return apply_down(
            self.context, prepare_down(self.context, "workshop", keep_volumes=keep_volumes)
        )

    def calls_of(self, work: Callable[[], object]) -> Counter[str]:
        """The calls that a piece of work makes."""
        self.calls.restart()
        work()
        seen = self.calls.seen
        self.calls.restart()
        return seen

    def changes_of(self, work: Callable[[], object]) -> Counter[str]:
        """The calls of a piece of work that do not only read."""
        seen = self.calls_of(work)
        return Counter({action: count for action, count in seen.items() if changes(action)})

    def killed(self, run: runs.Run, about: str, point: Point, when: When) -> bool:
        """Run until a point, and kill it there; False where the run ended without coming by."""
        victim: SimpleQueue[BaseProcess] = SimpleQueue()
        hit: list[Point] = []

        def act() -> None:
            runs.kill(victim.get(timeout=_SECONDS))
            hit.append(point)
            raise ConnectionCut

        self.calls.restart(point, when, act)
        process = runs.start(run, self.served, self.cache, about)
        victim.put(process)
        code = runs.ended(process)
        self.calls.settle()
        self.calls.restart()
        met = bool(hit)
        assert code == (-signal.SIGKILL if met else 0), f"{point}: the run ended by itself: {code}"
        return met

    def surely_killed(
        self, run: runs.Run, about: str, point: Point, when: When, prepare: Callable[[], object]
    ) -> None:
        """The same, and the point must be met."""
        for _ in range(_TRIES):
            prepare()
            if self.killed(run, about, point, when):
                return
        raise AssertionError(f"{_TRIES} runs did not come by {point}")

    def standing(self) -> Standing:
        """What is there, by kind and name, whoever made it."""
        ec2, ssm = self.served.ec2, self.served.client("ssm")
        groups = ec2.describe_security_groups()["SecurityGroups"]
        templates = ec2.describe_launch_templates()["LaunchTemplates"]
        parameters = ssm.get_parameters_by_path(Path="/", Recursive=True)["Parameters"]
        found: dict[str, list[str]] = {
            "instances": [_member(instance) for instance in self._live()],
            "volumes": [f"{volume['Size']} GiB" for volume in ec2.describe_volumes()["Volumes"]],
            "groups": [g["GroupName"] for g in groups if g["GroupName"] != "default"],
            "keys": [pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"]],
            "templates": [template["LaunchTemplateName"] for template in templates],
            "parameters": [p["Name"] for p in parameters if p["Name"].startswith("/fleet/")],
        }
        return {kind: sorted(names) for kind, names in found.items()}

    def stop(self, member: str) -> None:
        """Stop a member's instance, as its owner does overnight."""
        ids = [i["InstanceId"] for i in self._live() if _member(i) == member]
        self.served.ec2.stop_instances(InstanceIds=ids)
        eventually(self.states, lambda states: "stopping" not in states)

    def states(self) -> set[str]:
        return {instance["State"]["Name"] for instance in self._live()}

    def kept_for(self) -> list[str]:
        """Whose volumes there are, by their tags."""
        return sorted(map(_member, self.served.ec2.describe_volumes()["Volumes"]))

    def drop_volumes(self) -> None:
        for volume in self.served.ec2.describe_volumes()["Volumes"]:
            self.served.ec2.delete_volume(VolumeId=volume["VolumeId"])

    def own_snapshots(self) -> list[str]:
        """The account's snapshots."""
        found = self.served.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        return sorted(one["SnapshotId"] for one in found)

    def _live(self) -> list[InstanceTypeDef]:
        reservations = self.served.ec2.describe_instances()["Reservations"]
        return [
            instance
            for reservation in reservations
            for instance in reservation["Instances"]
            if instance["State"]["Name"] not in {"terminated", "shutting-down"}
        ]


def _member(tagged: InstanceTypeDef | VolumeTypeDef) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}
    return tags.get("fleet:member", "nobody's")
