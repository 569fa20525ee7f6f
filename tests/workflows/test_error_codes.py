"""Every error code that a launch may meet, at every call of a launch: the stated reaction, and nothing left over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet.errors import (
    EXIT_FAILED,
    AwsError,
    CapacityError,
    CredentialsError,
    FleetError,
    NotAuthorizedError,
    NotFoundError,
    QuotaError,
)
from fleet.plan.launch import Plan
from fleet.plan.reactions import REACTIONS, reaction_to
from fleet.plan.report import FleetReport
from fleet.sandbox.cloud.denials import denied_in_code
from fleet.workflows.down import apply_down, plan_down
from fleet.workflows.events import Event
from fleet.workflows.inventory import describe_inventory
from fleet.workflows.planning import plan_up
from fleet.workflows.up import apply_up
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.conftest import spec
from tests.workflows.fleets import remaining
from tests.workflows.runs import context_over

pytestmark = pytest.mark.slow

OTHERS = [
    "DependencyViolation", "InvalidGroup.InUse", "InvalidKeyPair.Duplicate", "InvalidGroup.Duplicate",
    "InvalidPermission.Duplicate",
]  # fmt: skip
"""Of the table of error codes what no launching call answers; met there, it is told all the same."""
CODES = [*REACTIONS, *OTHERS]
PASSING = {"again", "settling", "token"}
DENIED = [code for code, reaction in REACTIONS.items() if reaction.error is NotAuthorizedError]
PROFILE = "Value (gpu) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"


@dataclasses.dataclass
class Bench:
    """One cloud, one plan of one environment, and runs of it."""

    served: Served
    cache: Path
    plan: Plan
    events: list[Event]

    def up(self, plan: Plan | None = None) -> FleetReport:
        self.events.clear()  # an interrupted context stays so: each run has its own
        context = context_over(self.served.url, self.cache)
        return apply_up(
            dataclasses.replace(context, on_event=self.events.append), plan or self.plan
        )

    def refused(self) -> FleetError:
        """Run into an error that must be one line, with its remedy, and leave nothing."""
        with pytest.raises(FleetError) as raised:
            self.up()
        error = raised.value
        assert "\n" not in str(error)
        assert error.remedy
        assert error.exit_code == EXIT_FAILED
        assert self.left() == []
        return error

    def arrives(self, plan: Plan | None = None) -> FleetReport:
        """Run, and find one instance, which nobody can reach here."""
        report = self.up(plan)
        assert [e.instance_id is not None for e in report.environments] == [True]
        assert self.left().count("instances") == 1
        return report

    def left(self) -> list[str]:
        context = context_over(self.served.url, self.cache)
        return [
            one.kind for one in describe_inventory(context, "workshop").resources if not one.ended
        ]

    def new_plan(self, **changes: str) -> Plan:
        context = context_over(self.served.url, self.cache)
        return plan_up(context, spec(**{"members": "[ana]", **changes}), folder=Path())

    def told(self, text: str) -> bool:
        return any(text in event.detail for event in self.events)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def once(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", served.url)
        bench = Bench(served, tmp_path_factory.mktemp("cache"), None, [])  # type: ignore[arg-type]
        bench.plan = bench.new_plan()
        yield bench


@pytest.fixture
def bench(once: Bench) -> Iterator[Bench]:
    """What a test leaves is taken down: no test sees another one's instances."""
    yield once
    once.served.cloud.faults.clear()
    context = context_over(once.served.url, once.cache)
    assert remaining(apply_down(context, plan_down(context, "workshop"))) == {}


def expected_error(code: str) -> type[AwsError]:
    reaction = REACTIONS.get(code)
    return reaction.error if reaction else AwsError


def check(error: FleetError, code: str) -> None:
    reaction = REACTIONS.get(code)
    assert code in error.message
    assert isinstance(error, expected_error(code))
    if reaction is not None and code not in DENIED:
        assert error.remedy == reaction.remedy


@pytest.mark.parametrize("code", CODES)
def test_in_every_pool_for_good(bench: Bench, code: str) -> None:
    """What passes is tried a few times; all else ends at once, in a few calls."""
    bench.served.cloud.faults.add("pool-error", code=code)
    bench.served.cloud.hooks.restart()
    check(bench.refused(), code)
    asked = [call.action for call in bench.served.cloud.hooks.calls].count("CreateFleet")
    passing = code in REACTIONS and REACTIONS[code].kind in PASSING
    assert asked == (5 if passing else 1)


@pytest.mark.parametrize("code", CODES)
def test_in_every_pool_once(bench: Bench, code: str) -> None:
    """One call that every pool refused: what passes is got over, and what does not fit is not asked for again."""
    bench.served.cloud.faults.add("pool-error", code=code, calls=1)
    if code in REACTIONS and REACTIONS[code].kind in PASSING:
        bench.arrives()
        assert bench.told(f"{code}: ")
    else:
        check(bench.refused(), code)


@pytest.mark.parametrize("code", CODES)
def test_in_one_pool(bench: Bench, code: str) -> None:
    """The plan's first zone refuses: the others serve, unless no pool can help."""
    first = bench.plan.pools[0]
    bench.served.cloud.faults.add("pool-error", code=code, zone=first.availability_zone)
    report = bench.arrives()
    assert report.environments[0].availability_zone != first.availability_zone
    assert not bench.told("nothing came")


@pytest.mark.parametrize("times", [1, None])
@pytest.mark.parametrize("code", CODES)
def test_as_the_answer_of_the_whole_call(bench: Bench, code: str, times: int | None) -> None:
    once = {} if times is None else {"calls": times}
    bench.served.cloud.faults.add("error", action="CreateFleet", code=code, **once)
    if times and code in REACTIONS and REACTIONS[code].kind in PASSING:
        bench.arrives()
    else:
        check(bench.refused(), code)


MAKING = {
    "CreateSecurityGroup": ["InvalidGroup.Duplicate", "SecurityGroupLimitExceeded"],
    "AuthorizeSecurityGroupIngress": ["RulesPerSecurityGroupLimitExceeded"],
    "ImportKeyPair": ["InvalidKeyPair.Duplicate", "InvalidKey.Format"],
    "CreateLaunchTemplate": ["InvalidLaunchTemplateName.AlreadyExistsException", "InvalidUserData.Malformed"],
    "PutParameter": ["ParameterLimitExceeded"],
}  # fmt: skip
EVERYWHERE = [
    "UnauthorizedOperation", "OptInRequired", "PendingVerification", "Blocked", "InternalError",
    "ServiceUnavailable", "Unavailable",
]  # fmt: skip


@pytest.mark.parametrize(
    ("action", "code"),
    [(action, code) for action, own in MAKING.items() for code in (*own, *EVERYWHERE)],
)
def test_at_each_call_that_makes_something(bench: Bench, action: str, code: str) -> None:
    """For good: told in one line, by the table's error and remedy, and what was made before is gone."""
    bench.served.cloud.faults.add("error", action=action, code=code)
    error = bench.refused()
    assert f"({code})" in error.message
    if code not in MAKING[action]:
        assert isinstance(error, expected_error(code))


@pytest.mark.parametrize("action", MAKING)
@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError", "ServiceUnavailable"])
def test_what_passes_is_got_over_at_each_of_them(bench: Bench, action: str, code: str) -> None:
    bench.served.cloud.faults.add("error", action=action, code=code, calls=1)
    bench.arrives()


@pytest.mark.parametrize("action", [*MAKING, "CreateFleet", "CreateTags"])
def test_an_answer_that_is_lost_makes_nothing_twice(bench: Bench, action: str) -> None:
    """boto3 sends it again, and what it made the first time is taken for the fleet's own."""
    bench.served.cloud.faults.add("lost-response", action=action, calls=1)
    bench.arrives()
    assert sorted(set(bench.left())) == sorted(
        {"instances", "volumes", "network_interfaces", "security_groups", "key_pairs"}
        | {"launch_templates", "parameters"}
    )
    assert bench.left().count("parameters") == 2
    assert not bench.told("is broken")


def foreign_group(bench: Bench) -> Callable[[], object]:
    ec2 = bench.served.ec2
    made = ec2.create_security_group(
        GroupName="fleet-workshop", Description="not ours", VpcId=bench.plan.vpc_id
    )
    return lambda: ec2.delete_security_group(GroupId=made["GroupId"])


def foreign_key(bench: Bench) -> Callable[[], object]:
    ec2 = bench.served.ec2
    made = ec2.create_key_pair(KeyName="fleet-workshop")
    return lambda: ec2.delete_key_pair(KeyPairId=made["KeyPairId"])


def foreign_template(bench: Bench) -> Callable[[], object]:
    ec2 = bench.served.ec2
    made = ec2.create_launch_template(
        LaunchTemplateName="fleet-workshop",
        LaunchTemplateData={"ImageId": bench.plan.image.image_id},
    )
    template_id = made["LaunchTemplate"]["LaunchTemplateId"]
    return lambda: ec2.delete_launch_template(LaunchTemplateId=template_id)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("security group", foreign_group),
        ("key pair", foreign_key),
        ("launch template", foreign_template),
    ],
)
def test_what_has_the_name_and_is_not_ours_is_told_and_left_alone(
    bench: Bench, name: str, make: Callable[[Bench], Callable[[], object]]
) -> None:
    remove = make(bench)
    error = bench.refused()
    assert error.message.startswith(f"{name} fleet-workshop")
    assert "is there already, and was not made for this fleet" in error.message
    remove()  # fails where it is gone


def test_a_denial_in_code_is_read_by_sts(bench: Bench) -> None:
    bench.served.cloud.faults.add("deny", action="ec2:RunInstances")
    assert "this identity lacks ec2:RunInstances" in bench.refused().message


def test_a_denial_in_code_that_sts_does_not_read_out_is_told_as_it_is(bench: Bench) -> None:
    bench.served.cloud.faults.add("deny", action="ec2:RunInstances")
    bench.served.cloud.faults.add("deny", action="sts:DecodeAuthorizationMessage")
    error = bench.refused()
    assert isinstance(error, NotAuthorizedError)
    assert "UnauthorizedOperation: You are not authorized to perform this operation" in str(error)
    assert "Encoded" not in str(error)
    assert "`fleet iam policy" in error.remedy


def test_the_action_that_is_missing_need_not_be_the_one_that_is_called(bench: Bench) -> None:
    role = "arn:aws:iam::123456789012:role/gpu"
    bench.served.cloud.faults.add(
        "error", action="CreateFleet", code="UnauthorizedOperation",
        message=denied_in_code("iam:PassRole", role),
    )  # fmt: skip
    error = bench.refused()
    assert f"may not call CreateFleet: it lacks iam:PassRole on {role} (" in error.message
    assert error.remedy.startswith("ask for the permission iam:PassRole: `fleet iam policy`")


@pytest.mark.parametrize("action", [*MAKING, "CreateFleet"])
def test_each_denied_call_is_named(bench: Bench, action: str) -> None:
    bench.served.cloud.faults.add("deny", action=action)
    error = bench.refused()
    assert isinstance(error, NotAuthorizedError)
    assert f"may not call {action} (" in error.message
    assert f":{action}: `fleet iam policy`" in error.remedy


def test_a_new_instance_profile_is_waited_for(bench: Bench) -> None:
    about = {"code": "InvalidParameterValue", "message": PROFILE}
    bench.served.cloud.faults.add("error", action="CreateFleet", calls=2, **about)
    bench.arrives()
    assert reaction_to(**about) is not None


def test_a_wrong_instance_profile_is_told(bench: Bench) -> None:
    about = {"code": "InvalidParameterValue", "message": PROFILE}
    bench.served.cloud.faults.add("error", action="CreateFleet", **about)
    error = bench.refused()
    assert isinstance(error, NotFoundError)
    assert "instances.profile" in error.remedy


@pytest.mark.parametrize("code", ["VcpuLimitExceeded", "OptInRequired", "InvalidAMIID.NotFound"])
def test_beside_what_stands_it_is_told_and_nothing_is_taken_away(bench: Bench, code: str) -> None:
    first = bench.arrives()
    grown = dataclasses.replace(bench, plan=bench.new_plan(members="[ana, ben]"))
    for options in ({"name": "pool-error"}, {"name": "error", "action": "CreateFleet"}):
        bench.served.cloud.faults.add(options.pop("name"), code=code, **options)
        report = grown.up()
        assert report.environments[0].instance_id == first.environments[0].instance_id
        assert report.environments[1].state == "missing"
        assert code in report.environments[1].reason
        bench.served.cloud.faults.clear()


def test_a_group_that_is_not_known_everywhere_yet_is_waited_for(bench: Bench) -> None:
    bench.served.cloud.faults.add(
        "error", action="AuthorizeSecurityGroupIngress", code="InvalidGroup.NotFound", calls=2
    )
    bench.arrives()


def test_an_instance_that_is_not_known_everywhere_yet_is_tagged_later(bench: Bench) -> None:
    bench.served.cloud.faults.add(
        "error", action="CreateTags", code="InvalidInstanceID.NotFound", calls=3
    )
    bench.arrives()
    (instance,) = bench.new_plan().owned.instances
    assert instance.member == "ana"


def test_an_instance_that_is_invisible_at_first_is_waited_for(bench: Bench) -> None:
    bench.served.cloud.faults.add("invisible", delay="1s")
    report = bench.arrives()
    assert report.environments[0].reason.startswith("no SSH connection")
    (instance,) = bench.new_plan().owned.instances
    assert instance.member == "ana"


def stopped(bench: Bench) -> Plan:
    """Bring a fleet of two up and stop both; gives the plan that starts them again."""
    bench.up(bench.new_plan(members="[ana, ben]", expires="never"))
    ids = [i.instance_id for i in bench.new_plan().owned.instances]
    bench.served.ec2.stop_instances(InstanceIds=ids)
    bench.served.ec2.get_waiter("instance_stopped").wait(
        InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    plan = bench.new_plan(members="[ana, ben]", expires="never")
    assert len(plan.start) == 2
    return plan


def test_starting_what_is_stopped(bench: Bench) -> None:
    """Each code at StartInstances: what passes is got over, what does not is told of each instance that it meets."""
    plan = stopped(bench)
    for code in CODES:
        reaction = REACTIONS.get(code)
        bench.served.cloud.faults.add("error", action="StartInstances", code=code)
        if reaction is None or reaction.kind == "stop":
            with pytest.raises(expected_error(code), match=code):
                bench.up(plan)
        else:
            report = bench.up(plan)
            assert [e.state for e in report.environments] == ["failed", "failed"]
            assert all(f"still stopped: {code}" in e.reason for e in report.environments)
        bench.served.cloud.faults.clear()
        assert bench.left().count("instances") == 2
    for code in ("RequestLimitExceeded", "InsufficientInstanceCapacity"):
        # one refusal passes; two of capacity (of both together, of the first alone) leave one stopped
        bench.served.cloud.faults.add("error", action="StartInstances", code=code, calls=2)
        report = bench.up(plan)
        assert ["still stopped" in e.reason for e in report.environments] == [
            code == "InsufficientInstanceCapacity", False,
        ]  # fmt: skip
        bench.served.cloud.faults.clear()
        plan = bench.new_plan(members="[ana, ben]", expires="never")
    assert [a.member.name for a in plan.start] == ["ana"]


def test_every_kind_of_error_is_met(bench: Bench) -> None:
    """The table's errors are all of those that a launch can end with."""
    assert {reaction.error for reaction in REACTIONS.values()} == {
        AwsError, CapacityError, CredentialsError, NotAuthorizedError, NotFoundError, QuotaError,
    }  # fmt: skip
