"""Refusals that ask for a second look: lost answers, names that are taken, denials in code, what is not known yet."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fleet.errors import NotAuthorizedError
from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.denials import denied_in_code
from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.gate import ConnectionCut
from tests.workflows.launch.error_codes import PROFILE, PROFILE_WORDS
from tests.workflows.launch_bench import BakeEnvironment, bench, once

pytestmark = pytest.mark.slow

__all__ = ["bench", "once"]

MAKING = [
    "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "ImportKeyPair", "CreateLaunchTemplate",
    "PutParameter",
]  # fmt: skip


@pytest.mark.parametrize("action", [*MAKING, "CreateFleet", "CreateTags"])
def test_an_answer_that_is_lost_makes_nothing_twice(bench: BakeEnvironment, action: str) -> None:
    """boto3 sends it again, and what it made the first time is taken for the fleet's own."""
    bench.served.cloud.faults.add("lost-response", action=action, calls=1)
    bench.arrives()
    assert sorted(set(bench.left())) == sorted(
        {"instances", "volumes", "network_interfaces", "security_groups", "key_pairs"}
        | {"launch_templates", "parameters"}
    )
    assert bench.left().count("parameters") == 3
    assert not bench.told("is broken")


def foreign_group(bench: BakeEnvironment) -> Callable[[], object]:
    ec2 = bench.served.ec2
    made = ec2.create_security_group(
        GroupName="fleet-workshop", Description="not ours", VpcId=bench.plan.vpc_id
    )
    return lambda: ec2.delete_security_group(GroupId=made["GroupId"])


def foreign_key(bench: BakeEnvironment) -> Callable[[], object]:
    ec2 = bench.served.ec2
    made = ec2.create_key_pair(KeyName="fleet-workshop")
    return lambda: ec2.delete_key_pair(KeyPairId=made["KeyPairId"])


def foreign_template(bench: BakeEnvironment) -> Callable[[], object]:
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
    bench: BakeEnvironment, name: str, make: Callable[[BakeEnvironment], Callable[[], object]]
) -> None:
    remove = make(bench)
    error = bench.refused()
    assert len(bench.left()) == 1
    assert error.message.startswith(f"{name} fleet-workshop")
    assert "is there already, and was not made for this fleet" in error.message
    remove()  # fails where it is gone


def test_a_denial_in_code_is_read_by_sts(bench: BakeEnvironment) -> None:
    bench.served.cloud.faults.add("deny", action="ec2:RunInstances")
    assert "this identity lacks ec2:RunInstances" in bench.leaves_nothing().message


def test_a_denial_in_code_that_sts_does_not_read_out_is_told_as_it_is(
    bench: BakeEnvironment,
) -> None:
    bench.served.cloud.faults.add("deny", action="ec2:RunInstances")
    bench.served.cloud.faults.add("deny", action="sts:DecodeAuthorizationMessage")
    error = bench.leaves_nothing()
    assert isinstance(error, NotAuthorizedError)
    assert "UnauthorizedOperation: You are not authorized to perform this operation" in str(error)
    assert "Encoded" not in str(error)
    assert "`fleet iam policy" in error.remedy


def test_the_action_that_is_missing_need_not_be_the_one_that_is_called(
    bench: BakeEnvironment,
) -> None:
    role = "arn:aws:iam::123456789012:role/gpu"
    bench.served.cloud.faults.add(
        "error", action="CreateFleet", code="UnauthorizedOperation",
        message=denied_in_code("iam:PassRole", role),
    )  # fmt: skip
    error = bench.leaves_nothing()
    assert f"may not call CreateFleet: it lacks iam:PassRole on {role} (" in error.message
    assert error.remedy.startswith("ask for the permission iam:PassRole: `fleet iam policy`")


@pytest.mark.parametrize("action", [*MAKING, "CreateFleet"])
def test_each_denied_call_is_named(bench: BakeEnvironment, action: str) -> None:
    bench.served.cloud.faults.add("deny", action=action)
    error = bench.leaves_nothing()
    assert isinstance(error, NotAuthorizedError)
    assert f"may not call {action} (" in error.message
    assert f":{action}: `fleet iam policy`" in error.remedy


def test_a_new_instance_profile_is_waited_for(bench: BakeEnvironment) -> None:
    about = {"code": PROFILE, "message": PROFILE_WORDS}
    bench.served.cloud.faults.add("error", action="CreateFleet", calls=2, **about)
    bench.arrives()


@pytest.mark.parametrize("code", ["VcpuLimitExceeded", "OptInRequired", "InvalidAMIID.NotFound"])
def test_beside_what_stands_it_is_told_and_nothing_is_taken_away(
    bench: BakeEnvironment, code: str
) -> None:
    first = bench.arrives()
    grown = bench.new_plan(members="[ana, ben]")
    for options in ({"name": "pool-error"}, {"name": "error", "action": "CreateFleet"}):
        bench.served.cloud.faults.add(options.pop("name"), code=code, **options)
        report = bench.up(grown)
        assert report.environments[0].instance_id == first.environments[0].instance_id
        assert report.environments[1].state == "missing"
        assert code in report.environments[1].reason
        bench.served.cloud.faults.clear()


def test_a_group_that_is_not_known_everywhere_yet_is_waited_for(bench: BakeEnvironment) -> None:
    bench.served.cloud.faults.add(
        "error", action="AuthorizeSecurityGroupIngress", code="InvalidGroup.NotFound", calls=2
    )
    bench.arrives()


def test_an_instance_that_is_not_known_everywhere_yet_is_tagged_later(
    bench: BakeEnvironment,
) -> None:
    bench.served.cloud.faults.add(
        "error", action="CreateTags", code="InvalidInstanceID.NotFound", calls=2
    )
    bench.arrives()
    (instance,) = bench.live()
    assert instance.member == "ana"


def test_an_instance_that_is_invisible_at_first_is_waited_for(bench: BakeEnvironment) -> None:
    bench.served.cloud.faults.add("invisible", delay="1s")
    report = bench.arrives()
    assert report.environments[0].reason.startswith("no SSH connection")
    (instance,) = bench.live()
    assert instance.member == "ana"


@pytest.mark.parametrize("code", ["InternalServerError", "AccessDeniedException"])
def test_a_secret_that_cannot_be_kept(bench: BakeEnvironment, code: str) -> None:
    """The lease is had and the secret is not: what was made beside it is gone."""

    def refuse(call: Call) -> ApiError | None:
        return ApiError(code, "no") if call.action == "PutParameter" else None

    for number in range(3, 60):  # the second call is the lease
        bench.served.cloud.hooks.before(number, refuse)
    error = bench.refused()
    bench.served.cloud.hooks.restart()
    assert code in error.message
    assert bench.left() == []


def test_what_may_have_come_unheard_is_never_bought_again(bench: BakeEnvironment) -> None:
    """AWS fails at every answer after it has launched: no other request is sent, and the next run finds it."""
    hooks = bench.served.cloud.hooks

    def failing(call: Call, answer: Answer) -> None:
        if call.action == "CreateFleet":
            raise ConnectionCut

    for number in range(1, 200):
        hooks.after(number, failing)
    bench.served.cloud.faults.add(
        "error", action="CreateFleet", code="InternalError", message="oh", calls=1
    )
    bench.refused()
    hooks.restart()
    bench.arrives()
