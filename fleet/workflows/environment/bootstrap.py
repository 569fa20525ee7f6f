"""Does a fleet's bootstrap again, as each environment keeps it: without the spec, from any machine.

One host's failure is its own: it spoils no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.aws.identity import describe_identity
from fleet.aws.instance_types import describe_instance_types
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.environment.report import Environment, FleetReport, describe_environment
from fleet.plan.environment.request import REQUEST_FILE, BootstrapRequest, parse_request
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.tokens import Secrets
from fleet.side_by_side import each_side_by_side
from fleet.ssh.connection import open_host
from fleet.ssh.execute import execute
from fleet.ssh.keys import PrivateKey, load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.bring_up import HostWork, bring_up
from fleet.workflows.environment.connect import host_of
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.lease import hold_lease
from fleet.workflows.record.secrets import describe_secrets

_MOST_WORKERS = 128
_CONNECT_SECONDS = 60
_SHORT_SECONDS = 20


@dataclass(frozen=True)
class _Again:
    """What the members' bootstraps have in common."""

    context: Context
    fleet: str
    secrets: Secrets
    private_key: PrivateKey
    gpus: dict[str, int]


def bootstrap_again(context: Context, fleet: str, *, members: Sequence[str] = ()) -> FleetReport:
    """Bootstrap the environments of all members (or those named) once more, and prove them.

    Installs what is missing, runs the spec's script again, restarts a service only where its files have changed.
    Raises NothingFoundError where there is no such fleet or member. A KeyboardInterrupt stops at the next step.
    """
    account_id = describe_identity(context.aws).account_id
    instances = choose_members(live_instances(context, fleet), members, fleet)
    with hold_lease(context, fleet, account_id=account_id, command="bootstrap"):
        found = describe_instance_types(context.aws, names=_types_of(instances))
        secrets = describe_secrets(context, fleet)
        again = _Again(
            context,
            fleet,
            secrets,
            load_private_key(secrets.private_key),
            {name: fact.gpus for name, fact in found.items()},
        )
        # Not waited for: after an interrupt a host's work ends at its next step.
        environments = each_side_by_side(
            lambda one: _one(again, one),
            instances,
            at_once=_MOST_WORKERS,
            wait_on_error=False,
            on_error=context.interrupted.set,
        )
        return FleetReport(fleet, context.aws.region, environments)


def _types_of(instances: Sequence[InstanceFact]) -> list[str]:
    return sorted({instance.instance_type for instance in instances})


def _one(again: _Again, instance: InstanceFact) -> Environment:
    member = instance.holder
    try:
        require_running(instance)
        request = _read_asked(again, instance)
    except FleetError as error:
        again.context.tell(member, "failed", "failed", str(error))
        return describe_environment(instance, state="failed", reason=str(error))
    work = HostWork(
        member=member,
        request=request,
        gpus=again.gpus.get(instance.instance_type, 0),
        instance=instance,
        claim={},
        secrets=again.secrets,
        private_key=again.private_key,
        again=True,
    )
    return bring_up(again.context, work)


def _read_asked(again: _Again, instance: InstanceFact) -> BootstrapRequest:
    """Read what the host keeps. Raises FleetError where it was never bootstrapped, or by another version."""
    context = again.context
    request = None
    if instance.member and tags.HOST_KEY in instance.tags:
        context.tell(instance.member, "ssh", "running")
        deadline = context.clock() + _CONNECT_SECONDS
        host = host_of(context, instance, again.private_key)
        with open_host(host, deadline=deadline, clock=context.clock, sleep=context.sleep) as opened:
            kept = execute(
                opened,
                f"cat ~/{REQUEST_FILE}",
                deadline=context.clock() + _SHORT_SECONDS,
                clock=context.clock,
            )
        request = parse_request(kept.stdout)
    if request is None:
        raise FleetError(
            f"{instance.holder} keeps no bootstrap that this version can do again",
            remedy="run `fleet up` on its spec again",
        )
    return request
