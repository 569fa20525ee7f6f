"""Launches: asks EC2 for what is missing, pool after pool and market after market, and says why it falls short.

Every request is written down before it is sent, so that a run which ends at any instant buys nothing twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleet.aws.fleets import create_instant_fleet
from fleet.aws.instances import describe_instances, start_instances
from fleet.errors import AwsError, EndpointError
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.launch import LaunchTemplateFact
from fleet.plan.launch.plan import Plan
from fleet.plan.launch.purchase import Ask, Purchase, Refusal, nothing_came, summarise
from fleet.plan.launch.request import (
    LaunchAnswer,
    LaunchRequest,
    as_text,
    from_text,
    launch_request,
)
from fleet.plan.reactions import FULL
from fleet.workflows.context import Context
from fleet.workflows.record.lease import HeldLease
from fleet.workflows.retrying import FIRST_WAIT, kind_of, may_have_taken_effect, send_again_if_lost

_LONGEST_WAIT = 30.0
_HELPLESS = frozenset({"stop", "unsure", None})
"""Where a request is answered so, no other one is sent in its place."""


@dataclass(frozen=True)
class Launched:
    """How many are still missing, and EC2's reasons, the last of each pool.

    `unstarted` are stopped instances that could not be started, by id.
    """

    missing: int
    refusals: tuple[Refusal, ...]
    unstarted: Mapping[str, Refusal]


class Launch:
    """One launch of what a plan lacks. `on_launched` hears the ids of each answer at once."""

    def __init__(
        self,
        context: Context,
        plan: Plan,
        lease: HeldLease,
        template: LaunchTemplateFact,
        on_launched: Callable[[tuple[str, ...]], None],
    ) -> None:
        self._context = context
        self._plan = plan
        self._lease = lease
        self._template = template
        self._on_launched = on_launched
        self._known = sorted(i.instance_id for i in plan.owned.instances)
        self._sent = 0
        self._brought = 0
        self._unstarted: dict[str, Refusal] = {}
        self._refusals: dict[tuple[str, str], Refusal] = {}

    def run(self) -> Launched:
        """Start what is stopped, launch what is missing, wait for capacity where the user wants that."""
        plan, context = self._plan, self._context
        self._start([a.instance for a in plan.members.start])
        purchase = Purchase(
            plan.pools, plan.markets, len(plan.members.launch), affordable=plan.affordable
        )
        give_up = context.clock() + context.deadlines.capacity
        wait = FIRST_WAIT
        while True:
            self._ask_all(purchase)
            full = [i for i in self._stopped() if self._unstarted[i.instance_id].reaction is FULL]
            late = context.clock() + wait > give_up or context.interrupted.is_set()
            if late or not (purchase.may_come or full):
                return self._outcome(purchase)
            wait = min(wait * 2, _LONGEST_WAIT)
            context.tell(
                None,
                "launch",
                "running",
                f"{purchase.missing + len(full)} missing: trying again in {wait:.0f} s",
            )
            self._sleep(wait)
            self._start(full)
            purchase.try_full_ones()

    def _outcome(self, purchase: Purchase) -> Launched:
        """What came of it. Raises the reason where a fleet has nothing at all to go on with."""
        refusals = tuple(self._refusals.values())
        if purchase.missing and self._nothing_stands:
            raise nothing_came(purchase, refusals)
        return Launched(purchase.missing, refusals, self._unstarted)

    def _stopped(self) -> list[InstanceFact]:
        """What could not be started so far."""
        return [
            a.instance
            for a in self._plan.members.start
            if a.instance.instance_id in self._unstarted
        ]

    def _start(self, instances: Sequence[InstanceFact]) -> None:
        """Start stopped instances; EC2 starts all or none, so that one of several refused is found alone."""
        ids = [instance.instance_id for instance in instances]
        if not ids:
            return
        try:
            send_again_if_lost(
                self._context, lambda: start_instances(self._context.aws, instance_ids=ids)
            )
        except AwsError as error:
            if kind_of(error) in {"stop", None}:
                raise
            if len(instances) > 1:
                for instance in instances:
                    self._start([instance])
                return
            self._leave_stopped(instances[0], Refusal.of(error))
            return
        for instance_id in ids:
            self._unstarted.pop(instance_id, None)

    def _leave_stopped(self, instance: InstanceFact, refusal: Refusal) -> None:
        self._unstarted[instance.instance_id] = refusal
        said = f"{instance.instance_id} cannot be started: {refusal.code}: {refusal.message}"
        self._context.tell(instance.member, "launch", "note", said)

    @property
    def _nothing_stands(self) -> bool:
        """Whether the fleet has nothing at all to go on with."""
        plan = self._plan
        return not (self._brought or plan.members.keep or plan.members.start or plan.members.adopt)

    def _ask_all(self, purchase: Purchase) -> None:
        wait = FIRST_WAIT
        while (ask := purchase.ask()) and not self._context.interrupted.is_set():
            answer = self._send(ask)
            purchase.take(ask, len(answer.instance_ids), answer.refusals)
            self._tell(ask, answer)
            if purchase.pause:
                self._sleep(wait)
                wait *= 2

    def _send(self, ask: Ask) -> LaunchAnswer:
        """Send one request; a refusal of the whole of it counts as one of every pool in it."""
        self._context.tell(None, "launch", "running", f"{ask.count} x {ask.market}")
        request = self._request(ask)
        self._lease.note_pending(as_text(request))
        try:
            answer = send(self._context, request)
        except AwsError as error:
            if not may_have_taken_effect(error):
                self._lease.note_answered()  # else the lease keeps it for the next run
            helpless = self._nothing_stands and kind_of(error) in _HELPLESS
            if helpless or isinstance(error, EndpointError):
                raise
            return LaunchAnswer((), (Refusal.of(error),))
        self._lease.note_answered()
        self._on_launched(answer.instance_ids)
        self._known = sorted({*self._known, *answer.instance_ids})
        self._brought += len(answer.instance_ids)
        return answer

    def _request(self, ask: Ask) -> LaunchRequest:
        plan = self._plan
        self._sent += 1
        return launch_request(
            ask,
            template=(self._template.template_id, self._template.version),
            max_price=plan.spec.instances.max_price,
            tags=tags.fleet_tags(plan.fleet, spec_digest=plan.spec.digest()),
            observed=self._known,
            run=f"{self._lease.run}/{self._sent}",
        )

    def _tell(self, ask: Ask, answer: LaunchAnswer) -> None:
        for refusal in answer.refusals:
            self._refusals[refusal.instance_type, refusal.availability_zone] = refusal
        for line in summarise(answer.refusals):
            self._context.tell(None, "launch", "note", line)
        launched = len(answer.instance_ids)
        said = f"{launched} of {ask.count} x {ask.market}"
        self._context.tell(None, "launch", "done" if launched else "note", said)

    def _sleep(self, seconds: float) -> None:
        self._context.sleep(seconds * random.uniform(0.7, 1.0))  # noqa: S311 - jitter


def send(context: Context, request: LaunchRequest) -> LaunchAnswer:
    """Send a request, as often as it takes to hear of it: the ClientToken buys once."""
    return send_again_if_lost(context, lambda: create_instant_fleet(context.aws, request))


def settle(context: Context, plan: Plan, lease: HeldLease) -> None:
    """Learn what the requests brought that a run before this one had sent, and wait until EC2 shows it.

    A request that was written down and never sent is sent now: it launches what that run was about to launch. One
    that the plan would not send any more is not: then what it may have brought is waited for.
    """
    requests = [request for text in lease.inherited if (request := from_text(text))]
    heard = [_heard_late(context, r) if _still_wanted(r, plan) else None for r in requests]
    ids = {instance_id for brought in heard for instance_id in brought or ()}
    # Where nothing is launched, nothing is bought twice.
    blind = bool(plan.members.launch) and None in heard
    deadline = context.clock() + context.deadlines.visible
    while blind or not ids <= _visible(context, plan.fleet):
        if context.clock() >= deadline:
            return
        context.sleep(FIRST_WAIT)


def _still_wanted(request: LaunchRequest, plan: Plan) -> bool:
    same_spec = request.tags.get(tags.SPEC) == plan.spec.digest()
    return same_spec and request.count <= len(plan.members.launch) + len(plan.members.adopt)


def _heard_late(context: Context, request: LaunchRequest) -> tuple[str, ...] | None:
    """Give the ids of what a request brought; None where it stays unknown."""
    try:
        answer = send(context, request)
    except AwsError as error:
        if may_have_taken_effect(error):
            return None
        said = f"a request of an earlier run brought nothing: {error}"
        context.tell(None, "launch", "note", said)
        return ()
    said = f"{len(answer.instance_ids)} of {request.count} of an earlier run"
    context.tell(None, "launch", "note", said)
    return answer.instance_ids


def _visible(context: Context, fleet: str) -> set[str]:
    return {i.instance_id for i in describe_instances(context.aws, fleet=fleet)}
