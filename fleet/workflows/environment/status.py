"""Reads: one fleet as it stands, its URLs, and all fleets of the region. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fleet.aws.instances import describe_all_instances
from fleet.aws.launch_templates import describe_all_launch_templates
from fleet.errors import NothingFoundError
from fleet.jupyter.proof import Endpoint, answers
from fleet.jupyter.watchers import ask_watchers
from fleet.plan import tags
from fleet.plan.environment.heartbeats import Watchers
from fleet.plan.environment.replacements import leaving_words, one_each
from fleet.plan.environment.report import Environment, FleetReport, State, describe_environment
from fleet.plan.environment.rotation import rotating
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.money import as_number, total
from fleet.plan.record.tokens import Secrets
from fleet.side_by_side import each_side_by_side
from fleet.workflows.context import Context
from fleet.workflows.environment.endpoint import endpoint_of, member_token
from fleet.workflows.record.instances import fleet_instances
from fleet.workflows.record.secrets import describe_secrets

_AT_ONCE = 32


def describe_fleet(context: Context, fleet: str) -> FleetReport:
    """Describe a fleet's environments, looking at the services and watchers of each. Raises NothingFoundError."""
    instances = _all_live(context, fleet)
    secrets = describe_secrets(context, fleet)
    found = each_side_by_side(
        lambda one: _describe(context, one, instances, secrets), instances, at_once=_AT_ONCE
    )
    return FleetReport(fleet, context.aws.region, found)


def live_instances(context: Context, fleet: str) -> tuple[InstanceFact, ...]:
    """Give a fleet's live instances by member, one for each; raises NothingFoundError where there are none.

    What EC2 is taking back is left out where another one stands in for it already.
    """
    return one_each(_all_live(context, fleet))


def _all_live(context: Context, fleet: str) -> tuple[InstanceFact, ...]:
    found = [i for i in fleet_instances(context.aws, fleet) if i.live]
    if not found:
        raise NothingFoundError(
            f"there is no fleet {fleet} in {context.aws.region}",
            remedy="`fleet ls` shows the fleets; another region: --region",
        )
    return tuple(sorted(found, key=lambda i: (i.member is None, i.member or "", i.instance_id)))


def _describe(
    context: Context, instance: InstanceFact, others: Sequence[InstanceFact], secrets: Secrets
) -> Environment:
    state, reason = _told(instance, others)
    if state is not None and not (state == "leaving" and _is_made(instance)):
        return describe_environment(instance, state=state, reason=reason)
    token = member_token(secrets.fleet_secret, instance, instance.member or "")
    ready, watchers = _look(context, instance, secrets, token)
    if state is not None:  # EC2 takes it back: how its own farewell goes is its watcher's to say
        return describe_environment(instance, state=state, reason=reason, watchers=watchers)
    if ready:
        return describe_environment(instance, state="ready", token=token, watchers=watchers)
    return describe_environment(instance, state="unreachable", reason=reason)


def _is_made(instance: InstanceFact) -> bool:
    """Whether it runs, and its bootstrap has ended."""
    bootstrapped = instance.member is not None and tags.BOOTSTRAP in instance.tags
    return instance.state == "running" and bootstrapped


def _told(instance: InstanceFact, others: Sequence[InstanceFact]) -> tuple[State | None, str]:
    """Give the state that EC2 and the tags tell; None where its services do, and what to say if they do not answer."""
    if instance.leaving:
        return "leaving", leaving_words(instance, others)
    if instance.state == "pending":
        return "pending", ""
    if instance.state != "running":
        return "stopped" if instance.state == "stopped" else "stopping", instance.state_reason
    if not _is_made(instance):
        return "starting", "its bootstrap has not ended: `fleet up` goes on with it"
    if rotating(instance):
        return None, "its rotation broke off: `fleet rotate` goes on with it"
    return None, "Jupyter or TensorBoard does not answer from here"


def _look(
    context: Context, instance: InstanceFact, secrets: Secrets, token: str
) -> tuple[bool, Watchers | None]:
    """Look at the services, and hear the watchers where they answer; through SSH only where nothing else comes in."""
    timeout = context.deadlines.look

    def look(endpoint: Endpoint) -> tuple[bool, Watchers | None]:
        if not answers(endpoint, token=token, timeout=timeout):
            return False, None
        return True, ask_watchers(endpoint.jupyter, token=token, timeout=timeout)

    if not instance.access_path.tunnelled:
        return look(endpoint_of(instance, secrets.authority))
    from fleet.workflows.environment.connect import query_services  # noqa: PLC0415 - paramiko costs 150 ms

    return query_services(context, instance, secrets, look) or (False, None)


@dataclass(frozen=True)
class FleetSummary:
    """One fleet among all: how many instances in which state, USD per hour (None: unknown), expiry (None: never)."""

    fleet: str
    region: str
    instances: int
    running: int
    hourly_usd: Decimal | None
    expires_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of one row of `fleet ls`."""
        return {
            "fleet": self.fleet,
            "region": self.region,
            "instances": self.instances,
            "running": self.running,
            "hourly_usd": as_number(self.hourly_usd),
            "expires_at": tags.expiry_text(self.expires_at) if self.expires_at else None,
        }


def list_fleets(context: Context) -> tuple[FleetSummary, ...]:
    """List every fleet of the account and region, half-made ones too."""
    live = [i for i in describe_all_instances(context.aws) if i.live]
    names = {i.fleet for i in live} | set(describe_all_launch_templates(context.aws))
    return tuple(
        _summarise(context, name, [i for i in live if i.fleet == name]) for name in sorted(names)
    )


def _summarise(context: Context, fleet: str, instances: list[InstanceFact]) -> FleetSummary:
    running = [i for i in instances if i.state in {"pending", "running"}]
    return FleetSummary(
        fleet=fleet,
        region=context.aws.region,
        instances=len(instances),
        running=len(running),
        hourly_usd=total(i.hourly_usd for i in running),
        expires_at=min((i.expires_at for i in instances if i.expires_at), default=None),
    )
