"""Faults of calls, seen through boto3: code, message and HTTP status as AWS gives them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from fleet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def error_of(call: Callable[..., Any], **parameters: Any) -> tuple[str, int, str]:
    """Code, HTTP status and message of the error that the call must end with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    response: Any = caught.value.response
    error = response["Error"]
    return error["Code"], response["ResponseMetadata"]["HTTPStatusCode"], error["Message"]


def groups(served: Served) -> list[str]:
    found = served.ec2.describe_security_groups()["SecurityGroups"]
    return [group["GroupName"] for group in found if group["GroupName"] != "default"]


def make_group(served: Served, **more: Any) -> Any:
    return served.ec2.create_security_group(GroupName="g", Description="d", **more)


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("RequestLimitExceeded", 503, "Request limit exceeded."),
        ("InsufficientInstanceCapacity", 500, "no capacity available"),
        ("Unavailable", 503, "try again shortly"),
        ("InternalError", 500, "An internal error has occurred"),
        ("VcpuLimitExceeded", 400, "more vCPU capacity than your current vCPU limit"),
        ("PendingVerification", 401, "currently being verified"),
        ("NobodyKnowsThis", 400, "A fault of the sandbox answers NobodyKnowsThis."),
    ],
)
def test_any_code_for_any_action(served: Served, code: str, status: int, said: str) -> None:
    fault = served.cloud.faults.add("error", action="CreateSecurityGroup", code=code, calls=1)
    told = error_of(make_group, served=served)
    assert told[:2] == (code, status)
    assert said in told[2]
    assert groups(served) == []
    assert (fault.hits, fault.left) == (1, 0)
    make_group(served)


def test_message_and_status_of_ones_own(served: Served) -> None:
    served.cloud.faults.add(
        "error", action="ec2:Describe*", code="Odd", message="a < b & c", status=418
    )
    assert error_of(served.ec2.describe_vpcs) == ("Odd", 418, "a < b & c")
    make_group(served)


def test_each_service_is_throttled_in_its_own_way(served: Served) -> None:
    served.cloud.faults.add("throttle")
    assert error_of(served.ec2.describe_vpcs) == (
        "RequestLimitExceeded",
        503,
        "Request limit exceeded.",
    )
    ssm = served.client("ssm").describe_parameters
    assert error_of(ssm) == ("ThrottlingException", 400, "Rate exceeded")
    assert error_of(served.client("sts").get_caller_identity)[:2] == ("Throttling", 400)
    assert error_of(served.client("s3").list_buckets)[:2] == ("SlowDown", 503)
    quotas = served.client("service-quotas")
    assert error_of(quotas.list_service_quotas, ServiceCode="ec2")[0] == "ThrottlingException"


def test_each_service_fails_in_its_own_way(served: Served) -> None:
    served.cloud.faults.add("server-error")
    assert error_of(served.ec2.describe_vpcs)[:2] == ("InternalError", 500)
    ssm = served.client("ssm").describe_parameters
    assert error_of(ssm)[:2] == ("InternalServerError", 500)
    assert error_of(served.client("sts").get_caller_identity)[:2] == ("InternalFailure", 500)
    assert error_of(served.client("iam").list_roles)[:2] == ("ServiceFailure", 500)


def test_a_rate_lets_the_rest_through(served: Served) -> None:
    fault = served.cloud.faults.add("throttle", rate=0.5, action="DescribeVpcs")
    refused = 0
    for _ in range(40):
        try:
            served.ec2.describe_vpcs()
        except ClientError:
            refused += 1
    assert refused == fault.hits
    assert 8 <= refused <= 32


def test_a_denied_action_is_named(served: Served) -> None:
    fault = served.cloud.faults.add("deny", action="ec2:CreateSecurityGroup")
    code, status, message = error_of(make_group, served=served)
    assert (code, status) == ("UnauthorizedOperation", 403)
    assert message.startswith("You are not authorized to perform this operation. User: arn:aws:")
    assert "is not authorized to perform: ec2:CreateSecurityGroup on resource" in message
    assert error_of(make_group, served=served, DryRun=True)[0] == "UnauthorizedOperation"
    assert fault.hits == 2
    served.cloud.faults.add("deny", action="ssm:PutParameter")
    put = served.client("ssm").put_parameter
    code, status, message = error_of(put, Name="/a", Value="b", Type="String")
    assert (code, status) == ("AccessDeniedException", 400)
    assert "ssm:PutParameter" in message
    served.cloud.faults.add("deny", action="iam:CreateRole")
    role = served.client("iam").create_role
    assert error_of(role, RoleName="r", AssumeRolePolicyDocument="{}")[:2] == ("AccessDenied", 403)


def test_tags_at_creation_need_create_tags(served: Served) -> None:
    served.cloud.faults.add("deny", action="ec2:CreateTags")
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "a", "Value": "b"}]}]
    code, _, message = error_of(make_group, served=served, TagSpecifications=tags)
    assert code == "UnauthorizedOperation"
    assert "ec2:CreateTags" in message
    make_group(served)


@pytest.mark.parametrize(("name", "left"), [("lost-request", []), ("lost-response", ["g"])])
def test_a_cut_connection(served: Served, name: str, left: list[str]) -> None:
    fault = served.cloud.faults.add(name, action="CreateSecurityGroup", calls=1)
    with pytest.raises(ConnectionClosedError):
        make_group(served)
    assert groups(served) == left
    assert fault.hits == 1


def test_a_lost_response_of_a_json_service(served: Served) -> None:
    served.cloud.faults.add("lost-response", action="ssm:PutParameter", calls=1)
    ssm = served.client("ssm")
    with pytest.raises(ConnectionClosedError):
        ssm.put_parameter(Name="/a", Value="b", Type="String")
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == "b"


def test_slow_answers_delay_nobody_else(served: Served) -> None:
    served.cloud.faults.add("slow", delay="30s", action="DescribeVpcs", calls=1)
    told: list[Any] = []
    asking = threading.Thread(target=lambda: told.append(served.ec2.describe_vpcs()))
    began = time.monotonic()
    asking.start()
    served.ec2.describe_subnets()
    assert asking.is_alive()
    served.cloud.faults.clear("slow")
    asking.join(20)
    assert told
    assert time.monotonic() - began < 25


def test_a_slow_answer_takes_its_time(served: Served) -> None:
    served.cloud.faults.add("slow", delay="300ms", calls=1)
    began = time.monotonic()
    served.ec2.describe_vpcs()
    assert time.monotonic() - began >= 0.3


def test_deleting_a_group_takes_a_while(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(served.cloud.state.faults, "clock", lambda: now)
    fault = served.cloud.faults.add("dependency-violation", delay="20s")
    group = make_group(served)["GroupId"]
    now = 100.0  # the time runs from the first try
    delete = served.ec2.delete_security_group
    told = error_of(delete, GroupId=group)
    assert told == ("DependencyViolation", 400, f"resource {group} has a dependent object")
    assert error_of(delete, GroupId="sg-12345678")[0] == "InvalidGroup.NotFound"
    now = 120.0
    delete(GroupId=group)
    assert fault.hits == 1


def test_dependency_violation_by_calls(served: Served) -> None:
    served.cloud.faults.add("dependency-violation", calls=2)
    group = make_group(served)["GroupId"]
    for _ in range(2):
        assert error_of(served.ec2.delete_security_group, GroupId=group)[0] == "DependencyViolation"
    served.ec2.delete_security_group(GroupId=group)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("CreateFlet", "there is no API action 'CreateFlet': did you mean CreateFleet?"),
        ("ssm:CreateFleet", "there is no API action 'ssm:CreateFleet'"),
        ("ecs:RunTask", "the sandbox has no service 'ecs' with actions"),
        ("pricng:GetProducts", "did you mean pricing?"),
    ],
)
def test_an_action_that_aws_has_not(served: Served, action: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        served.cloud.faults.add("deny", action=action)
    assert said in str(caught.value)
    assert served.cloud.faults.all() == []


def test_reset_clears_faults(served: Served) -> None:
    served.cloud.faults.add("throttle")
    served.cloud.reset()
    served.ec2.describe_vpcs()
    assert served.cloud.faults.all() == []
