"""A served cloud for many launches in a row, each of which ends with nothing left: one context, and no long wait."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.retries import quota, standard

from fleet.aws.instances import describe_instances
from fleet.errors import EXIT_FAILED, FleetError
from fleet.plan.environment.report import FleetReport
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.launch.plan import Plan
from fleet.sandbox.cloud import CloudSettings
from fleet.workflows.context import Context
from fleet.workflows.events import Event
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.conftest import spec
from tests.workflows.fleets import remaining
from tests.workflows.runs import context_over

REGION = "us-east-1"
NOTHING: dict[str, int] = {}
AT_ONCE = CloudSettings(
    pending_seconds=0.0, boot_seconds=0.0, shutting_down_seconds=0.0, terminated_seconds=10.0
)


def blink(seconds: float) -> None:
    """Sleep for next to no time."""
    time.sleep(min(seconds, 0.01))


def retry_at_once(client: Any) -> None:
    """Let a client retry what it would retry, as often as it would, without a wait in between."""
    name = client.meta.service_model.service_id.hyphenize()
    about = {"event_name": f"needs-retry.{name}", "unique_id": f"retry-config-{name}"}
    client.meta.events.unregister(**about)
    handler = standard.RetryHandler(
        retry_policy=standard.RetryPolicy(
            retry_checker=standard.StandardRetryConditions(
                max_attempts=client.meta.config.retries["total_max_attempts"]
            ),
            retry_backoff=standard.ExponentialBackoff(random=lambda: 0.0),
        ),
        retry_event_adapter=standard.RetryEventAdapter(),
        retry_quota=standard.RetryQuotaChecker(  # type: ignore[arg-type]  # the stubs name another class
            quota.RetryQuota(initial_capacity=10**6)
        ),
    )
    client.meta.events.register(
        about["event_name"], handler.needs_retry, unique_id=about["unique_id"]
    )


@dataclasses.dataclass
class BakeEnvironment:
    """One cloud, one plan of one environment, and runs of it."""

    served: Served
    base: Context
    plan: Plan
    events: list[Event]
    before: Counter[str] = dataclasses.field(default_factory=Counter)

    @property
    def context(self) -> Context:
        """A context that nobody has interrupted: a run that fails leaves its own so."""
        return dataclasses.replace(self.base, interrupted=threading.Event())

    def up(self, plan: Plan | None = None) -> FleetReport:
        """Apply a plan, by default the one of one environment."""
        self.events.clear()
        context = dataclasses.replace(self.context, on_event=self.events.append)
        return apply_up(context, plan or self.plan)

    def inject(self, call: str, code: str, *, message: str, **conditions: Any) -> None:
        """Have a call answer with a code; "CreateFleet, Errors" are the refusals within its answer."""
        named = {"code": code, "message": message, **conditions}
        if call == "CreateFleet, Errors":
            self.served.cloud.faults.add("pool-error", **named)
        else:
            self.served.cloud.faults.add("error", action=call, **named)

    def refused(self, plan: Plan | None = None) -> FleetError:
        """Run into an error that is one line, with its remedy."""
        with pytest.raises(FleetError) as raised:
            self.up(plan)
        error = raised.value
        assert "\n" not in str(error)
        assert error.remedy
        assert error.exit_code == EXIT_FAILED
        return error

    def leaves_nothing(self) -> FleetError:
        """The same, and nothing is left of it."""
        error = self.refused()
        assert self.left() == []
        return error

    def arrives(self, plan: Plan | None = None) -> FleetReport:
        """Run, and find one instance, which nobody can reach here."""
        report = self.up(plan)
        assert [e.instance_id is not None for e in report.environments] == [True]
        assert self.left().count("instances") == 1
        return report

    def left(self) -> list[str]:
        """Give the kinds of all that is there, whosever it is, by the cloud's own books and not by the fleet's."""
        return list((self.books() - self.before).elements())

    def books(self) -> Counter[str]:
        from moto.ec2.models import ec2_backends  # noqa: PLC0415 - the cloud puts its own in first
        from moto.ssm.models import ssm_backends  # noqa: PLC0415

        with self.served.cloud.state.lock:
            (account, regions), *_ = [i for i in ec2_backends.items() if REGION in i[1]]
            ec2, parameters = regions[REGION], ssm_backends[account][REGION]._parameters
            live = [i for i in ec2.all_instances() if i.state != "terminated"]
            return Counter(
                instances=len(live),
                volumes=len(ec2.volumes),
                network_interfaces=len(ec2.enis),
                security_groups=sum(len(groups) for groups in ec2.groups.values()),
                key_pairs=len(ec2.key_pairs),
                launch_templates=len(ec2.launch_templates),
                parameters=sum(name.startswith("/fleet/") for name in parameters),
            )

    def new_plan(self, **changes: str) -> Plan:
        """Plan over what is there."""
        return prepare_up(self.context, spec(**{"members": "[ana]", **changes}), folder=Path())

    def live(self) -> list[InstanceFact]:
        """Give the fleet's instances that are not gone."""
        return [i for i in describe_instances(self.base.aws, fleet="workshop") if i.live]

    def told(self, text: str) -> bool:
        """Whether the run told this."""
        return any(text in event.detail for event in self.events)

    def request(self, action: str) -> int:
        """How often a call was sent since the calls were last forgotten."""
        return [call.action for call in self.served.cloud.hooks.calls].count(action)

    def down(self) -> dict[str, int]:
        """Take the fleet away; gives what is left by the receipt, by kind."""
        return remaining(apply_down(self.context, prepare_down(self.context, "workshop")))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BakeEnvironment]:
    """One bench for a module."""
    with serve(AT_ONCE) as served, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", served.url)
        base = context_over(served.url, tmp_path_factory.mktemp("cache"))
        base = dataclasses.replace(base, sleep=blink)
        retry_at_once(base.aws.ec2)
        retry_at_once(base.aws.ssm)
        plan = prepare_up(base, spec(members="[ana]"), folder=Path())
        bench = BakeEnvironment(served, base, plan, [])
        bench.before = bench.books()
        yield bench


@pytest.fixture
def bench(once: BakeEnvironment) -> Iterator[BakeEnvironment]:
    """What a test leaves is taken down, to nothing: no test sees another one's instances."""
    once.served.cloud.hooks.restart()
    yield once
    once.served.cloud.faults.clear()
    if once.left():
        assert once.down() == NOTHING
        assert once.left() == []
