"""Launches: asks EC2 for what is missing, pool after pool and market after market, and says why it falls short.

Every request is written down before it is sent, so that a run which ends at any instant buys nothing twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from fleet.aws.fleets import create_instant_fleet
from fleet.aws.instances import describe_instances, start_instances
from fleet.errors import AwsError, EndpointError
from fleet.plan import tags
from fleet.plan.facts import LaunchTemplateFact
from fleet.plan.launch import Plan
from fleet.plan.launch_request import (
    LaunchAnswer,
    LaunchRequest,
    as_text,
    from_text,
    launch_request,
)
from fleet.plan.purchase import Ask, Purchase, Refusal, nothing_came, summarise
from fleet.plan.reactions import reaction_to
from fleet.workflows.context import Context
from fleet.workflows.lease import HeldLease

_MOST_SENDINGS = 6
"""How often one request is sent: about half a minute of waiting in all."""
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_PASSING = frozenset({"again", "settling"})


@dataclass(frozen=True)
class Launched:
    """How many are still missing, and EC2's reasons, the last of each pool."""

    missing: int
    refusals: tuple[Refusal, ...]


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
        self._refusals: dict[tuple[str, str], Refusal] = {}

    def run(self) -> Launched:
        """Start what is stopped, launch what is missing, wait for capacity where the user wants that."""
        plan, context = self._plan, self._context
        if plan.start:
            start_instances(context.aws, instance_ids=[a.instance.instance_id for a in plan.start])
        purchase = Purchase(plan.pools, plan.markets, len(plan.launch), affordable=plan.affordable)
        give_up = context.clock() + context.deadlines.capacity
        wait = _FIRST_WAIT
        while True:
            self._ask_all(purchase)
            if not purchase.may_come or context.clock() + wait > give_up:
                return self._outcome(purchase)
            wait = min(wait * 2, _LONGEST_WAIT)
            context.tell(
                None,
                "launch",
                "running",
                f"{purchase.missing} missing: trying again in {wait:.0f} s",
            )
            self._sleep(wait)
            purchase.try_full_ones()

    def _outcome(self, purchase: Purchase) -> Launched:
        """What came of it. Raises the reason where a fleet has nothing at all to go on with."""
        plan, refusals = self._plan, tuple(self._refusals.values())
        if purchase.missing and not (self._brought or plan.keep or plan.start or plan.adopt):
            raise nothing_came(purchase, refusals)
        return Launched(purchase.missing, refusals)

    def _ask_all(self, purchase: Purchase) -> None:
        wait = _FIRST_WAIT
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
        except EndpointError:
            raise  # it may have taken effect: the lease keeps it for the next run
        except AwsError as error:
            self._lease.note_answered()
            if reaction_to(error.code, error.message) is None and not self._brought:
                raise
            return LaunchAnswer((), (Refusal(error.code, error.message),))
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
    """Send a request, again where AWS did not get to it or its answer was lost: the ClientToken buys once."""
    wait = _FIRST_WAIT
    for sending in range(1, _MOST_SENDINGS + 1):
        try:
            return create_instant_fleet(context.aws, request)
        except AwsError as error:
            reaction = reaction_to(error.code, error.message)
            passing = isinstance(error, EndpointError) or (reaction and reaction.kind in _PASSING)
            if not passing or sending == _MOST_SENDINGS or context.interrupted.is_set():
                raise
            context.tell(None, "launch", "note", f"{error.message}: sent again in {wait:.0f} s")
        context.sleep(wait * random.uniform(0.7, 1.0))  # noqa: S311 - jitter
        wait *= 2
    raise AssertionError("unreachable")


def settle(context: Context, plan: Plan, lease: HeldLease) -> None:
    """Learn what the requests brought that a run before this one had sent, and wait until EC2 shows it.

    A request that was written down and never sent is sent now: it launches what that run was about to launch. One
    that the plan would not send any more is not: then what it may have brought is waited for.
    """
    requests = [request for text in lease.inherited if (request := from_text(text))]
    ids: set[str] = set()
    for request in requests:
        if _still_wanted(request, plan):
            ids.update(_heard_late(context, request))
    blind = not all(_still_wanted(request, plan) for request in requests)
    deadline = context.clock() + context.deadlines.visible
    while blind or not ids <= _visible(context, plan.fleet):
        if context.clock() >= deadline:
            return
        context.sleep(_FIRST_WAIT)


def _still_wanted(request: LaunchRequest, plan: Plan) -> bool:
    same_spec = request.tags.get(tags.SPEC) == plan.spec.digest()
    return same_spec and request.count <= len(plan.launch) + len(plan.adopt)


def _heard_late(context: Context, request: LaunchRequest) -> tuple[str, ...]:
    try:
        answer = send(context, request)
    except AwsError as error:
        said = f"a request of an earlier run brought nothing: {error}"
        context.tell(None, "launch", "note", said)
        return ()
    said = f"{len(answer.instance_ids)} of {request.count} of an earlier run"
    context.tell(None, "launch", "note", said)
    return answer.instance_ids


def _visible(context: Context, fleet: str) -> set[str]:
    return {i.instance_id for i in describe_instances(context.aws, fleet=fleet)}
