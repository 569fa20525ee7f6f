"""Faults of launches: what CreateFleet and RunInstances answer when EC2 has not, or the account may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.sandbox.cloud.asking import (
    create_fleet,
    image_id,
    instances,
    launched,
    overrides,
    refused,
    states,
    template,
)
from tests.sandbox.cloud.recording import eventually

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def ask(served: Served, count: int, *, zones: str = "ab", market: str = "on-demand") -> Any:
    """The answer to a CreateFleet over g5.xlarge, then g4dn.xlarge, in the zones."""
    if not served.ec2.describe_launch_templates()["LaunchTemplates"]:
        template(served)
    made = served.ec2.describe_launch_templates()["LaunchTemplates"][0]["LaunchTemplateId"]
    pools = overrides(served, ["g5.xlarge", "g4dn.xlarge"], zones)
    answer = create_fleet(served, made, pools, count, market)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    return answer


def pools(answer: Any, part: str) -> list[tuple[str, str]]:
    """Type and zone of each entry."""
    found = [entry["LaunchTemplateAndOverrides"]["Overrides"] for entry in answer[part]]
    return [(each["InstanceType"], each["AvailabilityZone"][-1]) for each in found]


def codes(answer: Any) -> list[str]:
    return [error["ErrorCode"] for error in answer["Errors"]]


def test_no_capacity_of_a_type_in_a_zone(served: Served) -> None:
    fault = served.cloud.faults.add("no-capacity", type="g5.xlarge", zone="us-east-1a")
    answer = ask(served, 2)
    assert pools(answer, "Instances") == [("g5.xlarge", "b")]
    assert pools(answer, "Errors") == [("g5.xlarge", "a")]
    (error,) = answer["Errors"]
    assert error["ErrorCode"] == "InsufficientInstanceCapacity"
    assert "sufficient g5.xlarge capacity in the Availability Zone" in error["ErrorMessage"]
    assert "or choosing us-east-1b" in error["ErrorMessage"]
    assert (fault.hits, fault.left) == (1, None)


def test_no_capacity_at_all_for_one_call(served: Served) -> None:
    fault = served.cloud.faults.add("no-capacity", calls=1)
    answer = ask(served, 2)
    assert answer["Instances"] == []
    assert codes(answer) == ["InsufficientInstanceCapacity"] * 4
    assert "choosing" not in answer["Errors"][0]["ErrorMessage"]
    assert fault.hits == 1
    assert len(launched(ask(served, 2))) == 2


def test_no_spot_capacity_leaves_on_demand_alone(served: Served) -> None:
    served.cloud.faults.add("no-capacity", market="spot")
    answer = ask(served, 1, market="spot")
    assert set(codes(answer)) == {"InsufficientInstanceCapacity"}
    assert "no Spot capacity" in answer["Errors"][0]["ErrorMessage"]
    assert len(launched(ask(served, 1))) == 1


def test_no_capacity_for_run_instances_and_a_start(served: Served) -> None:
    request: dict[str, Any] = {
        "ImageId": image_id(served),
        "InstanceType": "t3.medium",
        "MinCount": 1,
        "MaxCount": 1,
    }
    served.cloud.faults.add("no-capacity", type="t3.medium", calls=1)
    said = refused("InsufficientInstanceCapacity", served.ec2.run_instances, **request)
    assert "t3.medium" in said
    (made,) = served.ec2.run_instances(**request)["Instances"]
    ids = [made["InstanceId"]]
    served.ec2.stop_instances(InstanceIds=ids)
    eventually(lambda: states(served), lambda found: found == {"stopped"})
    served.cloud.faults.add("no-capacity", type="t3.medium", calls=1)
    refused("InsufficientInstanceCapacity", served.ec2.start_instances, InstanceIds=ids)
    served.ec2.start_instances(InstanceIds=ids)


def test_a_partial_fleet(served: Served) -> None:
    fault = served.cloud.faults.add("partial-fleet", instances=2, calls=1)
    answer = ask(served, 5)
    assert len(launched(answer)) == len(instances(served)) == 2
    assert pools(answer, "Instances") == [("g5.xlarge", "a")]
    assert codes(answer) == ["InsufficientInstanceCapacity"] * 4
    assert fault.hits == 1
    assert len(launched(ask(served, 5))) == 5


def test_a_fleet_of_which_none_comes(served: Served) -> None:
    served.cloud.faults.add("partial-fleet", instances=0)
    assert ask(served, 3)["Instances"] == []


@pytest.mark.parametrize(
    ("market", "code", "said"),
    [
        ("on-demand", "VcpuLimitExceeded", "current vCPU limit of 512"),
        ("spot", "MaxSpotInstanceCountExceeded", "Max spot instance count exceeded"),
    ],
)
def test_a_quota_exceeded(served: Served, market: str, code: str, said: str) -> None:
    served.cloud.faults.add("quota-exceeded", market=market, calls=1)
    answer = ask(served, 1, market=market)
    assert answer["Instances"] == []
    assert codes(answer) == [code] * 4
    assert said in answer["Errors"][0]["ErrorMessage"]
    assert answer["Errors"][0]["Lifecycle"] == market
    assert len(launched(ask(served, 1, market=market))) == 1


def test_a_quota_exceeded_by_one_type(served: Served) -> None:
    served.cloud.faults.add("quota-exceeded", type="g5.xlarge")
    answer = ask(served, 1, zones="a")
    assert codes(answer) == ["VcpuLimitExceeded"]
    assert pools(answer, "Instances") == [("g4dn.xlarge", "a")]


@pytest.mark.parametrize(
    "code",
    [
        "UnfulfillableCapacity",
        "InvalidFleetConfiguration",
        "SpotMaxPriceTooLow",
        "InsufficientFreeAddressesInSubnet",
        "InvalidAMIID.NotFound",
        "OptInRequired",
        "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    ],
)
def test_any_code_for_a_pool(served: Served, code: str) -> None:
    served.cloud.faults.add("pool-error", code=code, zone="us-east-1a", calls=1)
    answer = ask(served, 1)
    assert codes(answer) == [code]
    assert "A fault of the sandbox" not in answer["Errors"][0]["ErrorMessage"]
    assert pools(answer, "Errors") == [("g5.xlarge", "a")]
    assert pools(answer, "Instances") == [("g5.xlarge", "b")]


def test_run_instances_denied_inside_a_fleet(served: Served) -> None:
    served.cloud.faults.add("deny", action="ec2:RunInstances")
    answer = ask(served, 1)
    assert set(codes(answer)) == {"UnauthorizedOperation"}
    assert instances(served) == []


def test_a_lost_response_and_the_same_token_buy_once(served: Served) -> None:
    made = template(served)
    zones = overrides(served, ["g5.xlarge"], "a")
    served.cloud.faults.add("lost-response", action="CreateFleet", calls=1)
    with pytest.raises(ConnectionClosedError):
        create_fleet(served, made, zones, 2, ClientToken="once")
    assert len(instances(served)) == 2
    again = create_fleet(served, made, zones, 2, ClientToken="once")
    assert sorted(launched(again)) == sorted(i["InstanceId"] for i in instances(served))
