"""Reads: one fleet as it stands, its URLs, and all fleets of the region. Changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from fleet.aws.instances import describe_all_instances, describe_instances
from fleet.aws.launch_templates import describe_all_launch_templates
from fleet.errors import NothingFoundError
from fleet.jupyter.proof import answers
from fleet.plan import tags
from fleet.plan.facts import InstanceFact
from fleet.plan.money import as_number, total
from fleet.plan.report import Environment, FleetReport, State, describe_environment
from fleet.plan.rotation import rotating
from fleet.plan.tokens import Secrets
from fleet.workflows.context import Context
from fleet.workflows.reach import endpoint_of, member_token
from fleet.workflows.secrets import describe_secrets

_AT_ONCE = 32


def describe_fleet(context: Context, fleet: str) -> FleetReport:
    """Describe a fleet's environments, looking at the services of each. Raises NothingFoundError."""
    instances = live_instances(context, fleet)
    secrets = describe_secrets(context, fleet)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = tuple(pool.map(lambda one: _describe(context, one, secrets), instances))
    return FleetReport(fleet, context.aws.region, found)


def live_instances(context: Context, fleet: str) -> tuple[InstanceFact, ...]:
    """Give a fleet's live instances by member; raises NothingFoundError where there are none."""
    _ = (context.aws.ec2, context.aws.ssm)
    found = [i for i in describe_instances(context.aws, fleet=fleet) if i.live]
    if not found:
        raise NothingFoundError(
            f"there is no fleet {fleet} in {context.aws.region}",
            remedy="`fleet ls` shows the fleets; another region: --region",
        )
    return tuple(sorted(found, key=lambda i: (i.member is None, i.member or "", i.instance_id)))


def _describe(context: Context, instance: InstanceFact, secrets: Secrets) -> Environment:
    state, reason, token = _state(context, instance, secrets)
    return describe_environment(instance, state=state, reason=reason, token=token)


def _state(
    context: Context, instance: InstanceFact, secrets: Secrets
) -> tuple[State, str, str | None]:
    if instance.state == "pending":
        return "pending", "", None
    if instance.state != "running":
        stopped: State = "stopped" if instance.state == "stopped" else "stopping"
        return stopped, instance.state_reason, None
    if instance.member is None or tags.BOOTSTRAP not in instance.tags:
        return "starting", "its bootstrap has not ended: `fleet up` goes on with it", None
    token = member_token(secrets.fleet_secret, instance, instance.member)
    if _answers(context, instance, secrets, token):
        return "ready", "", token
    if rotating(instance):
        return "unreachable", "its rotation broke off: `fleet rotate` goes on with it", None
    return "unreachable", "Jupyter or TensorBoard does not answer from here", None


def _answers(context: Context, instance: InstanceFact, secrets: Secrets, token: str) -> bool:
    """Look at the services, through SSH only where nothing else comes in."""
    timeout = context.deadlines.look
    if not instance.way.tunnelled:
        return answers(endpoint_of(instance, secrets.authority), token=token, timeout=timeout)
    from fleet.workflows.roads import looks_ready  # noqa: PLC0415 - paramiko costs 150 ms

    return looks_ready(context, instance, secrets, token=token, timeout=timeout)


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
