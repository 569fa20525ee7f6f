"""The one host of a bake's fleet, as a ready environment: what a bake does on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from fleet.aws.instances import describe_instances
from fleet.errors import BakeError, NothingFoundError
from fleet.plan.bake.manifest import Manifest
from fleet.plan.bake.plan import BUILDER, BakePlan
from fleet.plan.facts.environment import InstanceFact, youngest
from fleet.plan.launch.plan import Plan
from fleet.ssh.connection import open_host
from fleet.ssh.keys import load_private_key
from fleet.workflows.bake.host import (
    BakeHost,
    Finding,
    TestResult,
    collect_manifest,
    run_steps,
    run_tests,
    sanitise,
    scan,
)
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import host_of
from fleet.workflows.environment.endpoint import member_token
from fleet.workflows.events import OUTPUT
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.lease import HeldLease
from fleet.workflows.record.secrets import describe_secrets


class BakeEnvironment(Protocol):
    """An environment that a bake works on. Everything may raise BakeError, and UnreachableError after `until`."""

    @property
    def instance(self) -> InstanceFact:
        """The instance that it runs on."""
        ...

    def take_steps(self, plan: BakePlan, *, until: float) -> None:
        """Take the recipe's steps, but those that were taken."""
        ...

    def run_tests(self, plan: BakePlan, *, until: float) -> tuple[TestResult, ...]:
        """Run all tests of the recipe."""
        ...

    def scan(self, *, sanitised: bool, until: float) -> tuple[Finding, ...]:
        """Look for secrets."""
        ...

    def sanitise(self, *, until: float) -> None:
        """Remove what belongs to this one machine; nobody can log in afterwards."""
        ...

    def collect_manifest(self, *, until: float) -> Manifest:
        """Read which packages there are."""
        ...


class OpenBakeEnvironment(Protocol):
    """Brings a fleet of one up, and opens its host."""

    def __call__(
        self, context: Context, plan: Plan, *, held: HeldLease | None = None
    ) -> AbstractContextManager[BakeEnvironment]:
        """Raise BakeError where it does not become ready. `held` is the fleet's lease, where the caller has it."""
        ...


@dataclass(frozen=True)
class _SshEnvironment:
    """A host at the end of an SSH connection. `known` are the secrets that we gave it."""

    host: BakeHost
    instance: InstanceFact
    gpus: int
    known: tuple[str, ...]

    def take_steps(self, plan: BakePlan, *, until: float) -> None:
        run_steps(self.host, plan.recipe, plan.files, deadline=until)

    def run_tests(self, plan: BakePlan, *, until: float) -> tuple[TestResult, ...]:
        return run_tests(self.host, plan.recipe, plan.files, gpus=self.gpus, deadline=until)

    def scan(self, *, sanitised: bool, until: float) -> tuple[Finding, ...]:
        return scan(self.host, known=self.known, sanitised=sanitised, deadline=until)

    def sanitise(self, *, until: float) -> None:
        sanitise(self.host, deadline=until)

    def collect_manifest(self, *, until: float) -> Manifest:
        return collect_manifest(self.host, deadline=until)


@contextmanager
def open_bake_environment(
    context: Context, plan: Plan, *, held: HeldLease | None = None
) -> Iterator[BakeEnvironment]:
    """Bring a fleet of one up, and open its host over SSH. Raises BakeError where it does not become ready."""
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
        yield _SshEnvironment(host, instance, gpus, (token,))


def one_live(context: Context, fleet: str) -> InstanceFact:
    """Describe the one instance that lives of a bake's fleet. Raises NothingFoundError."""
    found = youngest(describe_instances(context.aws, fleet=fleet))
    if found is None:
        raise NothingFoundError(
            f"the instance of {fleet} is gone", remedy="run `fleet bake` again, which makes another"
        )
    return found
