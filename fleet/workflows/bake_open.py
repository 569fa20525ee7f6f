"""Opens the one host of a bake's fleet, once it is a ready environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.aws.instances import describe_instances
from fleet.errors import BakeError, NothingFoundError
from fleet.plan.bake import BUILDER
from fleet.plan.facts import InstanceFact
from fleet.plan.launch import Plan
from fleet.ssh.connection import open_host
from fleet.ssh.keys import load_private_key
from fleet.workflows.bake_host import BakeHost
from fleet.workflows.bake_log import OUTPUT
from fleet.workflows.context import Context
from fleet.workflows.lease import HeldLease
from fleet.workflows.reach import member_token
from fleet.workflows.roads import host_of
from fleet.workflows.secrets import describe_secrets
from fleet.workflows.up import apply_up


@dataclass(frozen=True)
class Ready:
    """The host of a bake's fleet: open, with Jupyter proven on it. `known` are the secrets that we gave it."""

    host: BakeHost
    instance: InstanceFact
    gpus: int
    known: tuple[str, ...]


@contextmanager
def ready_host(context: Context, plan: Plan, *, held: HeldLease | None = None) -> Iterator[Ready]:
    """Bring a fleet of one up, and open its host. Raises BakeError where it does not become ready."""
    report = apply_up(context, plan, held=held)
    (environment,) = report.environments
    if environment.state != "ready":
        raise BakeError(
            f"{plan.fleet} did not become ready: {environment.reason or environment.state}",
            remedy="see above, and run `fleet bake` again",
        )
    instance = one_live(context, plan.fleet)
    secrets = describe_secrets(context, plan.fleet)
    address = host_of(context, instance, load_private_key(secrets.private_key))
    with open_host(
        address,
        deadline=context.clock() + context.deadlines.ssh,
        clock=context.clock,
        sleep=context.sleep,
        cancelled=context.interrupted.is_set,
    ) as opened:
        host = BakeHost(
            context, opened, BUILDER, lambda line: context.tell(None, OUTPUT, "note", line)
        )
        token = member_token(secrets.fleet_secret, instance, BUILDER)
        gpus = plan.gpus.get(instance.instance_type, 0)
        yield Ready(host, instance, gpus, (token,))


def one_live(context: Context, fleet: str) -> InstanceFact:
    """Describe the one instance that lives of a bake's fleet. Raises NothingFoundError."""
    live = [one for one in describe_instances(context.aws, fleet=fleet) if one.live]
    if not live:
        raise NothingFoundError(
            f"the instance of {fleet} is gone", remedy="run `fleet bake` again, which makes another"
        )
    return max(live, key=lambda one: one.launched_at)
