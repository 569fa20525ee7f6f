"""What a test can do at the n-th call: before it takes effect, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectionClosedError

from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.hooks import cut
from tests.sandbox.cloud.asking import refused

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def test_calls_are_numbered_and_kept(served: Served) -> None:
    served.ec2.describe_vpcs()
    served.client("ssm").describe_parameters()
    served.client("ec2", key="INVALID")
    refused("AuthFailure", served.client("ec2", key="INVALID").describe_subnets)
    told = [(call.number, call.service, call.action) for call in served.cloud.hooks.calls]
    assert told == [
        (1, "ec2", "DescribeVpcs"),
        (2, "ssm", "DescribeParameters"),
        (3, "ec2", "DescribeSubnets"),
    ]
    served.cloud.hooks.restart()
    served.ec2.describe_subnets()
    assert [call.number for call in served.cloud.hooks.calls] == [1]


def test_before_and_after_each_call(served: Served) -> None:
    seen: list[str] = []

    def before(call: Call) -> ApiError | None:
        seen.append(f"before {call.action}")
        return None

    def after(call: Call, answer: Answer) -> None:
        seen.append(f"after {call.action} {answer.status}")

    served.cloud.hooks.before(2, before)
    served.cloud.hooks.after(2, after)
    served.ec2.describe_vpcs()
    served.ec2.describe_subnets()
    served.ec2.describe_vpcs()
    assert seen == ["before DescribeSubnets", "after DescribeSubnets 200"]


def test_a_lost_request_a_lost_response_and_an_error_by_number(served: Served) -> None:
    make = served.ec2.create_security_group
    served.cloud.hooks.before(1, cut)
    served.cloud.hooks.after(2, cut)
    served.cloud.hooks.before(3, lambda _: ApiError("InternalError", "now", status=500))
    for name in ("a", "b"):
        with pytest.raises(ConnectionClosedError):
            make(GroupName=name, Description="d")
    assert refused("InternalError", make, GroupName="c", Description="d") == "now"
    made = {g["GroupName"] for g in served.ec2.describe_security_groups()["SecurityGroups"]}
    assert made == {"default", "b"}
