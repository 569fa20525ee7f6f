"""Keeps a fleet at its size: looks again and again, and replaces what was reclaimed, died, or is about to go.

By the plan of `up` and nothing else, for the members that lack an environment alone; the fleet's lease is held only
while that is applied. What ended on purpose stays ended, and a fleet that was taken away is not made again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from fleet.aws.launch_templates import describe_launch_templates
from fleet.errors import (
    AwsError,
    CredentialsError,
    FleetError,
    NotAuthorizedError,
    NothingFoundError,
)
from fleet.plan import tags
from fleet.plan.environment.report import Environment
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.launch import Owned
from fleet.plan.launch.plan import Plan
from fleet.plan.lifetime.backoff import Backoff
from fleet.plan.lifetime.survey import (
    EventKind,
    Missing,
    Survey,
    WatchEvent,
    beginning_words,
    dearest,
    ended_words,
    environment_event,
    expired_at,
    fleet_expired_at,
    instance_event,
    ready_words,
    survey,
)
from fleet.plan.record.ended import EndedMembers
from fleet.spec.model import FleetSpec
from fleet.workflows.context import Context
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.ended import describe_ended, record_ended
from fleet.workflows.record.instances import fleet_instances

EVERY_SECONDS = 30.0
_LEASE_SECONDS = 60.0
"""Whoever else is at work may be at just this; the next look tells."""
_GRACE_SECONDS = 60.0
"""So long an instance that EC2 does not show any more is "not visible", which is not "gone"."""
_LASTING = (CredentialsError, NotAuthorizedError)


class Watch:
    """A watch over one fleet: `events` gives what happens, until the fleet is gone or its time is over.

    `acting` is the plan that is being applied, None between. `short` says whether the last attempt left somebody
    without an environment.
    """

    def __init__(
        self, context: Context, spec: FleetSpec, *, folder: Path, every: float = EVERY_SECONDS
    ) -> None:
        self.acting: Plan | None = None
        self.short = False
        self._context = context
        self._spec = spec
        self._folder = folder
        self._every = every
        self._begun = False
        self._ended = False
        self._trouble = ""
        self._told: set[tuple[EventKind, str, str]] = set()
        self._rest: set[str] = set()
        self._seen: set[str] = set()
        self._absent: dict[str, float] = {}
        self._patience = Backoff(every)

    def events(self, *, once: bool = False) -> Iterator[WatchEvent]:
        """Look, act and sleep until the watch ends; with `once` look and act one time.

        Raises NothingFoundError where there was no such fleet from the start, CredentialsError and NotAuthorizedError
        at any time; with `once` every error.
        """
        self._context.aws.check_settings()
        while True:
            try:
                yield from self._look(once=once)
                self._trouble = ""
            except AwsError as error:
                if once or isinstance(error, _LASTING):
                    raise
                yield from self._pass_over(error)
            if once or self._ended:
                return
            self._context.sleep(self._every)

    def _look(self, *, once: bool) -> Iterator[WatchEvent]:
        instances = fleet_instances(self._context.aws, self._spec.name)
        yield from self._end(instances)
        if self._ended:
            return
        found = self._survey(instances)
        if not self._begun and not once:
            size = len(self._spec.members)
            yield self._event("watching", beginning_words(found, size=size, every=self._every))
        self._begun = True
        yield from self._tell(found)
        if wanted := self._wanted(found):
            yield from self._act(wanted)
        elif found.whole:
            self._patience.note_done()
            if once:
                there = f"{len(found.there)} of {len(self._spec.members)} environments there"
                yield self._event("whole", f"{there}: nothing to do")

    def _end(self, instances: Sequence[InstanceFact]) -> Iterator[WatchEvent]:
        """Say why the watch ends, where it does. Raises NothingFoundError where there never was such a fleet."""
        fleet, now = self._spec.name, self._context.now()
        since = expired_at(instances, now=now)
        if not any(instance.live for instance in instances):
            templates = describe_launch_templates(self._context.aws, fleet=fleet)
            if not templates:
                yield self._gone()
                return
            since = fleet_expired_at(Owned(launch_templates=templates), now=now)
        if since is not None:
            self._ended = True
            yield self._event("ended", f"its time was over at {tags.expiry_text(since)}")

    def _gone(self) -> WatchEvent:
        if not self._begun:
            raise NothingFoundError(
                f"there is no fleet {self._spec.name} in {self._context.aws.region}",
                remedy="`fleet up` on its spec launches it; `fleet watch` keeps what is there",
            )
        self._ended = True
        return self._event("ended", "somebody has taken it away: nothing is left to watch")

    def _survey(self, instances: Sequence[InstanceFact]) -> Survey:
        names = [member.name for member in self._spec.members]
        found = survey(names, instances, EndedMembers())
        if not found.lost:
            return found
        # Only now it matters who was let rest.
        return survey(names, instances, describe_ended(self._context, self._spec.name))

    def _tell(self, found: Survey) -> Iterator[WatchEvent]:
        """Tell each thing once, and let those rest that ended by themselves."""
        self._forget(found)
        now = self._context.now()
        for one in found.lost:
            if self._certain(one):
                yield from self._once("lost", one.member, one.instance, one.why)
        for one in found.ended:
            yield from self._once("resting", one.member, one.instance, ended_words(one, now=now))
        for instance in found.stopped:
            said = f"its instance is {instance.state}: `fleet up` starts it"
            yield from self._once("stopped", instance.member or "", instance, said)
        ended = {m.member for m in found.ended if m.instance and m.instance.ended_by_itself}
        if ended - self._rest:
            record_ended(self._context, self._spec.name, ended)
            self._rest |= ended

    def _forget(self, found: Survey) -> None:
        """Forget what was told of members whose environment is there again."""
        staying = {one.member or "": one.instance_id for one in found.staying}
        self._told = {
            key for key in self._told if key[1] not in staying or key[2] == staying[key[1]]
        }
        self._rest -= staying.keys()
        self._seen |= staying.keys()
        for member in staying:
            self._absent.pop(member, None)

    def _once(
        self, kind: EventKind, member: str, instance: InstanceFact | None, said: str
    ) -> Iterator[WatchEvent]:
        key = (kind, member, instance.instance_id if instance else "")
        if key not in self._told:
            self._told.add(key)
            yield self._about(kind, instance, member=member, detail=said)

    def _wanted(self, found: Survey) -> frozenset[str]:
        """Give the members for whom something is to be done now."""
        lost = {one.member for one in found.lost if self._certain(one)}
        unfinished = {
            one.member or ""
            for one in found.unfinished
            if not self._patience.gives_up(one.instance_id)
        }
        wanted = frozenset(lost | unfinished)
        return wanted if self._patience.due(wanted, now=self._context.clock()) else frozenset()

    def _certain(self, missing: Missing) -> bool:
        """Whether it is gone: EC2 says so, or has not shown it for a while, or this watch never saw one."""
        if missing.instance is not None or missing.member not in self._seen:
            return True
        now = self._context.clock()
        return now - self._absent.setdefault(missing.member, now) >= _GRACE_SECONDS

    def _act(self, wanted: frozenset[str]) -> Iterator[WatchEvent]:
        """Plan and apply for those who lack an environment, and say what came of each."""
        lacking: list[tuple[str, str, str | None]] = []
        try:
            plan = self._plan(wanted)
            yield from self._announce(plan)
            for one in self._apply(plan):
                if one.state == "ready":
                    yield self._ready(one)
                    continue
                if one.instance_id is not None:
                    self._patience.note_unfinished(one.instance_id)
                lacking.append((one.member or "", one.reason or one.state, one.instance_id))
        except _LASTING:
            raise
        except FleetError as error:
            lacking = [(member, str(error), None) for member in sorted(wanted)]
        self.acting = None
        self.short = bool(lacking)
        if not lacking:
            self._patience.note_done()
            return
        self._patience.note_failed(wanted, now=self._context.clock())
        for member, reason, instance_id in lacking:
            yield self._event("failed", f"{reason}; {self._again(instance_id)}", member)

    def _again(self, instance_id: str | None) -> str:
        if self._patience.gives_up(instance_id):
            return "not tried again: `fleet up` goes on with it"
        return f"tried again in {self._patience.wait:.0f} s"

    def _plan(self, wanted: frozenset[str]) -> Plan:
        """Plan as `up` does, as if those were all. Raises FleetError where the fleet's own time is over."""
        members = tuple(m for m in self._spec.members if m.name in wanted)
        spec = self._spec.model_copy(update={"members": members})
        plan = prepare_up(self._context, spec, folder=self._folder)
        since = fleet_expired_at(plan.owned, now=self._context.now())
        if plan.members.launch and since is not None:
            raise FleetError(
                f"the fleet's own time was over at {tags.expiry_text(since)}: nothing new is launched",
                remedy=f"`fleet extend {plan.fleet} 2h` lets new ones run too",
            )
        return plan

    def _announce(self, plan: Plan) -> Iterator[WatchEvent]:
        price = dearest(plan)
        most = "at a price that is not known" if price is None else f"for ${price:.4f}/h at most"
        for member in plan.members.launch:
            yield self._event("replacing", f"another instance is launched, {most}", member.name)
        for a in (*plan.members.adopt, *plan.members.keep, *plan.members.start):
            said = f"{a.instance.instance_id} is there, and is made ready"
            yield self._about("replacing", a.instance, member=a.member.name, detail=said)

    def _apply(self, plan: Plan) -> tuple[Environment, ...]:
        lease = min(self._context.deadlines.lease, _LEASE_SECONDS)
        context = replace(
            self._context,
            deadlines=replace(self._context.deadlines, lease=lease),
            interrupted=threading.Event(),  # an attempt that failed has set its own
        )
        self.acting = plan
        return apply_up(context, plan, command="watch").environments

    def _ready(self, one: Environment) -> WatchEvent:
        said = ready_words(one, fleet=self._spec.name)
        return environment_event(self._context.now(), "replaced", self._spec.name, one, said)

    def _pass_over(self, error: AwsError) -> Iterator[WatchEvent]:
        """Say once that AWS does not answer as it should, and go on."""
        if error.message != self._trouble:
            self._trouble = error.message
            yield self._event("note", f"{error}; looked again in {self._every:.0f} s")

    def _about(
        self, kind: EventKind, instance: InstanceFact | None, *, member: str, detail: str
    ) -> WatchEvent:
        at, fleet = self._context.now(), self._spec.name
        return instance_event(at, kind, fleet, instance, member=member, detail=detail)

    def _event(self, kind: EventKind, detail: str, member: str | None = None) -> WatchEvent:
        return WatchEvent(self._context.now(), kind, self._spec.name, member, detail)
