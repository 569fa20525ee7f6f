"""Applies the plan of `up`. Converges: what is there is kept, what is missing is added, nothing is done twice."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from queue import SimpleQueue

from fleet.assets.shipped import load_catalogue
from fleet.aws.instances import describe_instances
from fleet.errors import EndpointError, FleetError
from fleet.plan import tags
from fleet.plan.environment.report import (
    Environment,
    FleetReport,
    describe_environment,
    missing_environment,
)
from fleet.plan.environment.request import bootstrap_request
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.launch.plan import Plan, plan_again
from fleet.plan.launch.prerequisites import require_intact
from fleet.plan.launch.purchase import Refusal
from fleet.plan.network.access_tags import access_tags
from fleet.side_by_side import Answer, SideBySide, side_by_side
from fleet.spec.model import Member
from fleet.ssh.keys import load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.bring_up import HostWork, bring_up
from fleet.workflows.environment.connect import require_access_path
from fleet.workflows.launch.observe import observe_owned
from fleet.workflows.launch.prerequisites import (
    Prerequisites,
    ensure_prerequisites,
    remove_prerequisites,
)
from fleet.workflows.launch.purchase import Launch, Launched, settle
from fleet.workflows.record.ended import forget_ended
from fleet.workflows.record.lease import HeldLease, hold_lease

_MOST_WORKERS = 128
"""Above 256 threads paramiko loses connections (measured); 128 keeps well below."""

_POLL_SECONDS = 1.0
_HEAR_SECONDS = 90.0
"""Longer than one request may take."""
_GONE = frozenset({"shutting-down", "terminated"})


def apply_up(
    context: Context, plan: Plan, *, command: str = "up", held: HeldLease | None = None
) -> FleetReport:
    """Apply a plan; gives every member's environment, ready or with the reason why not.

    One run at a time works on a fleet: this waits for another one, and then plans anew over what that has left. Who
    holds the fleet's lease already hands it in. A KeyboardInterrupt stops the hosts' work at its next step and goes on
    to the caller. Only the command `watch` makes no fleet: for it, it must be there; raises NothingFoundError where
    somebody has taken it away.
    """
    require_access_path(context, plan.network.access_path)
    request = hold_lease(context, plan.fleet, account_id=plan.account_id, command=command)
    with nullcontext(held) if held else request as lease:
        if command == "watch":
            require_intact(observe_owned(context, plan.fleet), fleet=plan.fleet)
        settle(context, plan, lease)
        owned = observe_owned(context, plan.fleet)
        current = plan_again(plan, owned, now=context.now(), catalogue=load_catalogue())
        if len(current.members.launch) < len(plan.members.launch):
            fewer = len(plan.members.launch) - len(current.members.launch)
            context.tell(None, "plan", "note", f"{fewer} of the instances are there already")
        if owned.prerequisites:
            return _apply(context, current, lease, [])
        return _apply_anew(context, current, lease)


def _apply_anew(context: Context, plan: Plan, lease: HeldLease) -> FleetReport:
    """Apply the plan of a fleet that is not there yet: where no instance comes, nothing that was made for it stays.

    A request without an answer may have brought some: then all stays, and is told.
    """
    came: list[str] = []
    try:
        return _apply(context, plan, lease, came)
    except EndpointError:
        raise
    except FleetError as error:
        if came or lease.unanswered or not lease.regain():
            raise
        context.tell(None, "launch", "note", "nothing came: what was made for it is taken away")
        if not remove_prerequisites(context, plan.fleet):
            raise
        error.message = f"{error.message} (nothing was launched, and nothing is left)"
        raise


def _apply(context: Context, plan: Plan, lease: HeldLease, came: list[str]) -> FleetReport:
    """Apply; `came` gets the ids of the instances that are launched."""
    prerequisites = ensure_prerequisites(context, plan)
    coming = [*plan.members.launch, *(a.member for a in plan.members.adopt)]
    if coming and plan.owned.launch_templates:
        forget_ended(context, plan.fleet, [member.name for member in coming])
    launching: Answer[Launched] | None = None

    def break_off() -> None:
        context.interrupted.set()
        _hear_out(context, launching)

    # Not waited for: after an interrupt a host's work ends at its next step.
    with side_by_side(_MOST_WORKERS + 1, wait_on_error=False, on_error=break_off) as pool:
        arrivals = _Arrivals(context, plan, prerequisites, pool)

        def expect(instance_ids: Iterable[str]) -> None:
            came.extend(instance_ids)
            arrivals.expect(instance_ids)

        launch = Launch(context, plan, lease, prerequisites.template, expect)
        launching = pool.ask(launch.run)
        arrivals.receive(launching)
        return FleetReport(plan.fleet, plan.region, arrivals.environments())


def _hear_out(context: Context, launching: Answer[Launched] | None) -> None:
    """Wait for the answer of a launch that is on its way: what it brings costs money, and must be told."""
    if launching is not None and not launching.there:
        context.tell(
            None, "launch", "note", "waiting for EC2's answer, to know what it has launched"
        )
        launching.wait(_HEAR_SECONDS)


class _Arrivals:
    """Receives instances as they come to run, gives each to a member, and starts its bootstrap at once."""

    def __init__(
        self, context: Context, plan: Plan, prerequisites: Prerequisites, pool: SideBySide
    ) -> None:
        self._context = context
        self._plan = plan
        self._secrets = prerequisites.secrets
        self._key = load_private_key(prerequisites.secrets.private_key)
        self._pool = pool
        self._refusals: tuple[Refusal, ...] = ()
        self._coming: SimpleQueue[str] = SimpleQueue()
        self._free = {a.instance.instance_id for a in plan.members.adopt}
        self._waiting = [a.member for a in plan.members.adopt] + list(plan.members.launch)
        self._homes = {
            a.instance.instance_id: a.member for a in (*plan.members.keep, *plan.members.start)
        }
        self._work: dict[str, Answer[Environment]] = {}
        self._lost: dict[str, Environment] = {}
        self._states: dict[str, str] = {}

    def expect(self, instance_ids: Iterable[str]) -> None:
        """Take ids of instances that were launched. May be called from any thread."""
        for instance_id in instance_ids:
            self._coming.put(instance_id)

    def receive(self, launching: Answer[Launched]) -> None:
        """Poll until the launch has ended and every instance of it runs or is lost, or the deadline has passed.

        One that is not visible yet is waited for: "not visible" is not "gone". Raises what ended the launch.
        """
        deadline = self._context.clock() + self._context.deadlines.running
        while True:
            ended = launching.there
            while not self._coming.empty():
                self._free.add(self._coming.get())
                deadline = self._context.clock() + self._context.deadlines.running
            seen = describe_instances(self._context.aws, fleet=self._plan.fleet)
            for instance in sorted(seen, key=lambda i: i.instance_id):
                self._take(instance)
            if ended:
                launched = launching()
                self._refusals = launched.refusals
                self._leave_stopped(seen, launched.unstarted)
            if ended and len(self._work) + len(self._lost) >= len(self._homes) + len(self._free):
                return
            if ended and self._context.clock() >= deadline:
                self._give_up_on(seen)
                return
            self._context.sleep(_POLL_SECONDS)

    def environments(self) -> tuple[Environment, ...]:
        """Wait for every host's work; gives one environment per member, in the spec's order."""
        return tuple(self._environment(member) for member in self._plan.spec.members)

    def _take(self, instance: InstanceFact) -> None:
        if instance.instance_id in self._free and self._waiting:
            self._free.discard(instance.instance_id)
            self._homes[instance.instance_id] = self._waiting.pop(0)
        member = self._homes.get(instance.instance_id)
        if member is None or member.name in self._work or member.name in self._lost:
            return
        if instance.state in _GONE:
            reason = instance.state_reason or f"the instance is {instance.state}"
            self._lose(member, instance, reason)
        elif instance.state == "running" and instance.address and instance.private_address:
            self._start(member, instance)
        elif self._states.get(member.name) != instance.state:
            self._states[member.name] = instance.state
            self._context.tell(member.name, instance.state, "running", instance.instance_id)

    def _start(self, member: Member, instance: InstanceFact) -> None:
        claim = {} if instance.member else self._claim(member, instance)
        claim |= access_tags(
            instance, access_path=self._plan.network.access_path, tls=self._plan.spec.tls != "none"
        )
        claimed = dataclasses.replace(instance, tags={**instance.tags, **claim})
        work = self._work_on(member, claimed, claim)
        self._work[member.name] = self._pool.ask(bring_up, self._context, work)

    def _work_on(self, member: Member, instance: InstanceFact, claim: dict[str, str]) -> HostWork:
        plan = self._plan
        return HostWork(
            member=member.name,
            request=bootstrap_request(
                plan.spec,
                plan.image,
                script_text=plan.files.script_text,
                ssh_key=member.ssh_key,
                bootstrap_id=plan.bootstrap_id,
            ),
            gpus=plan.gpus.get(instance.instance_type, 0),
            instance=instance,
            claim=claim,
            secrets=self._secrets,
            private_key=self._key,
            remote_files=tuple(remote for _, remote in plan.spec.bootstrap.files),
            payload=plan.files.archive,
        )

    def _claim(self, member: Member, instance: InstanceFact) -> dict[str, str]:
        """Give the tags that make an instance a member's."""
        values = {
            "Name": f"{tags.resource_name(self._plan.fleet)}/{member.name}",
            tags.MEMBER: member.name,
            tags.TOKEN_GENERATION: str(self._secrets.generations.of(member.name)),
        }
        price = self._plan.price_of(instance)
        return values if price is None else {**values, tags.HOURLY_USD: str(price)}

    def _lose(self, member: Member, instance: InstanceFact, reason: str) -> None:
        self._context.tell(member.name, "failed", "failed", reason)
        lost = describe_environment(instance, state="failed", reason=reason)
        self._lost[member.name] = dataclasses.replace(lost, member=member.name)

    def _leave_stopped(
        self, seen: tuple[InstanceFact, ...], unstarted: Mapping[str, Refusal]
    ) -> None:
        for instance in seen:
            member = self._homes.get(instance.instance_id)
            if member and member.name not in self._lost and instance.instance_id in unstarted:
                refusal = unstarted[instance.instance_id]
                reason = f"still stopped: {refusal.code}: {refusal.message}"
                self._lose(member, instance, f"{reason}: {refusal.reaction.remedy}")

    def _give_up_on(self, seen: tuple[InstanceFact, ...]) -> None:
        for instance in seen:
            member = self._homes.get(instance.instance_id)
            if member and member.name not in self._work and member.name not in self._lost:
                self._lose(member, instance, f"still {instance.state}: run `fleet up` again")

    def _environment(self, member: Member) -> Environment:
        if member.name in self._work:
            return self._work[member.name]()
        if member.name in self._lost:
            return self._lost[member.name]
        said = "; ".join(dict.fromkeys(str(refusal) for refusal in self._refusals))
        return missing_environment(member.name, reason=said or "its instance is not visible yet")
