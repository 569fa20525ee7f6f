"""CreateFleet of type instant: partial answers, strategies, capacity, quotas, prices, what a template carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import (
    ARM_IMAGE,
    create_fleet,
    image_id,
    instances,
    launched,
    overrides,
    refused,
    subnets,
    template,
)

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def test_everything_in_the_template_survives(served: Served) -> None:
    group = served.ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    made = template(served, SecurityGroupIds=[group])
    answer = create_fleet(
        served,
        made,
        overrides(served, ["g5.xlarge"], "a"),
        2,
        TagSpecifications=[
            {"ResourceType": "fleet", "Tags": [{"Key": "of", "Value": "fleet"}]},
            {"ResourceType": "instance", "Tags": [{"Key": "of", "Value": "instance"}]},
        ],
    )
    instance = instances(served)[0]
    assert instance["SecurityGroups"] == [{"GroupId": group, "GroupName": "g"}]
    assert instance["KeyName"] == "course"
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["fleet:name"] == "course"
    assert tags["of"] == "instance"
    assert tags["aws:ec2:fleet-id"] == answer["FleetId"]
    assert tags["aws:ec2launchtemplate:id"] == made
    behavior = served.ec2.describe_instance_attribute(
        InstanceId=instance["InstanceId"], Attribute="instanceInitiatedShutdownBehavior"
    )
    assert behavior["InstanceInitiatedShutdownBehavior"]["Value"] == "terminate"
    user_data = served.ec2.describe_instance_attribute(
        InstanceId=instance["InstanceId"], Attribute="userData"
    )
    assert user_data["UserData"]["Value"] == "I2Nsb3VkLWNvbmZpZwo="
    fleet = served.ec2.describe_fleets(FleetIds=[answer["FleetId"]])["Fleets"][0]
    assert fleet["Tags"] == [{"Key": "of", "Value": "fleet"}]


def test_the_root_volume_is_replaced_and_kept_as_asked(served: Served) -> None:
    create_fleet(served, template(served), overrides(served, ["g5.xlarge"], "a"), 1)
    (volume,) = served.ec2.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["VolumeType"]) == (200, "gp3")
    assert (volume["Iops"], volume["Throughput"], volume["Encrypted"]) == (4000, 500, True)
    assert volume["Tags"] == [{"Key": "fleet:name", "Value": "course"}]
    (attachment,) = volume["Attachments"]
    assert attachment["Device"] == "/dev/sda1"
    assert attachment["DeleteOnTermination"] is True
    (interface,) = served.ec2.describe_network_interfaces()["NetworkInterfaces"]
    assert interface["TagSet"] == [{"Key": "fleet:name", "Value": "course"}]


def test_groups_of_a_templates_network_interface_count(served: Served) -> None:
    group = served.ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    nic = {"DeviceIndex": 0, "Groups": [group], "AssociatePublicIpAddress": True}
    made = template(served, NetworkInterfaces=[nic])
    create_fleet(served, made, overrides(served, ["g5.xlarge"], "b"), 1)
    (instance,) = instances(served)
    assert [g["GroupId"] for g in instance["SecurityGroups"]] == [group]
    assert instance["SubnetId"] == subnets(served)["us-east-1b"]


def test_a_shortfall_goes_to_the_next_pool_and_is_named(served: Served) -> None:
    served.cloud.state.capacity.put(
        2, instance_type="g5.xlarge", availability_zone="us-east-1a", market="on-demand"
    )
    answer = create_fleet(served, template(served), overrides(served, ["g5.xlarge"], "ab"), 5)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    zones = [
        (e["LaunchTemplateAndOverrides"]["Overrides"]["AvailabilityZone"], len(e["InstanceIds"]))
        for e in answer["Instances"]
    ]
    assert zones == [("us-east-1a", 2), ("us-east-1b", 3)]
    (error,) = answer["Errors"]
    assert error["ErrorCode"] == "InsufficientInstanceCapacity"
    assert "sufficient g5.xlarge capacity in the Availability Zone" in error["ErrorMessage"]
    assert "choosing us-east-1b" in error["ErrorMessage"]
    assert error["Lifecycle"] == "on-demand"
    named = error["LaunchTemplateAndOverrides"]
    assert named["Overrides"]["AvailabilityZone"] == "us-east-1a"
    assert named["LaunchTemplateSpecification"]["Version"] == "1"


def test_nothing_at_all_is_still_an_answer(served: Served) -> None:
    served.cloud.state.capacity.put(0, instance_type="g5.xlarge")
    answer = create_fleet(served, template(served), overrides(served, ["g5.xlarge"], "ab"), 1)
    assert answer["Instances"] == []
    assert [e["ErrorCode"] for e in answer["Errors"]] == ["InsufficientInstanceCapacity"] * 2


def test_capacity_comes_back_with_terminated_instances(served: Served) -> None:
    served.cloud.state.capacity.put(1, instance_type="g5.xlarge")
    made, pools = template(served), overrides(served, ["g5.xlarge"], "a")
    first = create_fleet(served, made, pools, 1)
    assert create_fleet(served, made, pools, 1)["Instances"] == []
    served.ec2.terminate_instances(InstanceIds=launched(first))
    assert len(launched(create_fleet(served, made, pools, 1))) == 1


def test_prioritized_and_lowest_price(served: Served) -> None:
    made, pools = template(served), overrides(served, ["g5.2xlarge", "g4dn.xlarge"], "a")
    answer = create_fleet(served, made, pools, 1)
    assert answer["Instances"][0]["InstanceType"] == "g5.2xlarge"
    cheap = {"AllocationStrategy": "lowest-price"}
    answer = create_fleet(served, made, pools, 1, OnDemandOptions=cheap)
    assert answer["Instances"][0]["InstanceType"] == "g4dn.xlarge"


@pytest.mark.parametrize(
    "options",
    [
        {"AllocationStrategy": "price-capacity-optimized"},
        {"AllocationStrategy": "lowest-price"},
        {"MaxTotalPrice": "10"},
    ],
)
def test_spot_takes_the_cheap_pool_with_room(served: Served, options: dict[str, Any]) -> None:
    pools = overrides(served, ["g5.12xlarge", "g4dn.xlarge"], "ab")
    answer = create_fleet(served, template(served), pools, 2, "spot", SpotOptions=options)
    (entry,) = answer["Instances"]
    assert (entry["InstanceType"], entry["Lifecycle"]) == ("g4dn.xlarge", "spot")
    instance = instances(served)[0]
    assert instance["InstanceLifecycle"] == "spot"
    assert instance["SpotInstanceRequestId"].startswith("sir-")
    requests = served.ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert {r["State"] for r in requests} == {"active"}
    assert {r["InstanceId"] for r in requests} == set(launched(answer))
    by_lifecycle = [{"Name": "instance-lifecycle", "Values": ["spot"]}]
    assert len(instances(served, Filters=by_lifecycle)) == 2


def test_spot_and_on_demand_capacity_are_apart(served: Served) -> None:
    served.cloud.state.capacity.put(0, market="spot")
    made, pools = template(served), overrides(served, ["g5.xlarge"], "a")
    answer = create_fleet(served, made, pools, 1, "spot")
    assert answer["Errors"][0]["Lifecycle"] == "spot"
    assert answer["Errors"][0]["ErrorCode"] == "InsufficientInstanceCapacity"
    assert len(launched(create_fleet(served, made, pools, 1))) == 1


def test_a_price_cap_below_the_price(served: Served) -> None:
    pools = [{**o, "MaxPrice": "0.01"} for o in overrides(served, ["g5.xlarge"], "a")]
    answer = create_fleet(served, template(served), pools, 1, "spot")
    assert answer["Errors"][0]["ErrorCode"] == "SpotMaxPriceTooLow"


@pytest.mark.parametrize(
    ("market", "quota", "code"),
    [
        ("on-demand", "L-DB2E81BA", "VcpuLimitExceeded"),
        ("spot", "L-3819A6DF", "MaxSpotInstanceCountExceeded"),
    ],
)
def test_quotas_per_family_and_market(served: Served, market: str, quota: str, code: str) -> None:
    served.cloud.state.quotas.put(quota, 9, region="us-east-1")
    made, pools = template(served), overrides(served, ["g5.xlarge"], "ab")
    answer = create_fleet(served, made, pools, 3, market)
    assert len(launched(answer)) == 2
    assert {e["ErrorCode"] for e in answer["Errors"]} == {code}
    other = "spot" if market == "on-demand" else "on-demand"
    assert len(launched(create_fleet(served, made, pools, 3, other))) == 3


@pytest.mark.parametrize(
    ("override", "changes", "code"),
    [
        ({"InstanceType": "g99.xlarge"}, {}, "InvalidParameterValue"),
        ({"SubnetId": "us-east-1e"}, {}, "InvalidFleetConfiguration"),
        ({"InstanceType": "g5g.xlarge"}, {}, "InvalidParameterValue"),
        ({}, {"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({}, {"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({}, {"SecurityGroupIds": ["sg-00000000000000000"]}, "InvalidGroup.NotFound"),
        ({"SubnetId": "subnet-00000000000000000"}, {}, "InvalidSubnetID.NotFound"),
    ],
)
def test_what_a_pool_cannot_launch(
    served: Served, override: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    by_zone = subnets(served)
    pool = {"InstanceType": "g5.xlarge", "SubnetId": "us-east-1a", **override}
    pool["SubnetId"] = by_zone.get(pool["SubnetId"], pool["SubnetId"])
    made = template(served, **changes)
    if code == "InvalidSubnetID.NotFound":
        refused(code, create_fleet, served=served, template_id=made, overrides=[pool], count=1)
        return
    answer = create_fleet(served, made, [pool], 1)
    assert answer["Instances"] == []
    assert answer["Errors"][0]["ErrorCode"] == code


def test_arm64_images_run_on_arm64_types(served: Served) -> None:
    made = template(served, ImageId=image_id(served, ARM_IMAGE))
    answer = create_fleet(served, made, overrides(served, ["g5g.xlarge"], "a"), 1)
    assert len(launched(answer)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"LaunchTemplateConfigs": []}, "MissingParameter"),
        ({"SpotOptions": {"AllocationStrategy": "cheapest"}}, "InvalidParameterValue"),
        ({"OnDemandOptions": {"MinTargetCapacity": 1}}, "InvalidParameterCombination"),
        (
            {"TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "a"}]}]},
            "InvalidParameterValue",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "fleet", "Tags": [{"Key": "aws:a"}]}]},
            "InvalidParameterValue",
        ),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_requests_that_make_no_sense(served: Served, changes: dict[str, Any], code: str) -> None:
    pools = overrides(served, ["g5.xlarge"], "a")
    made = template(served)
    refused(
        code, create_fleet, served=served, template_id=made, overrides=pools, count=1, **changes
    )
    assert instances(served) == []


def test_an_unknown_template(served: Served) -> None:
    pools = overrides(served, ["g5.xlarge"], "a")
    refused(
        "InvalidLaunchTemplateId.NotFound",
        create_fleet,
        served=served,
        template_id="lt-00000000000000000",
        overrides=pools,
        count=1,
    )


def test_all_or_nothing_in_one_zone(served: Served) -> None:
    served.cloud.state.capacity.put(2, instance_type="g5.xlarge", availability_zone="us-east-1a")
    options = {
        "AllocationStrategy": "prioritized",
        "SingleAvailabilityZone": True,
        "MinTargetCapacity": 3,
    }
    pools = overrides(served, ["g5.xlarge"], "ab")
    answer = create_fleet(served, template(served), pools, 3, OnDemandOptions=options)
    assert {i["Placement"]["AvailabilityZone"] for i in instances(served)} == {"us-east-1b"}
    assert len(launched(answer)) == 3


def test_the_same_token_launches_once(served: Served) -> None:
    made, pools = template(served), overrides(served, ["g5.xlarge"], "a")
    first = create_fleet(served, made, pools, 2, ClientToken="t")
    again = create_fleet(served, made, pools, 2, ClientToken="t")
    assert again["FleetId"] == first["FleetId"]
    assert launched(again) == launched(first)
    assert len(instances(served)) == 2
    refused(
        "IdempotentParameterMismatch",
        create_fleet,
        served=served,
        template_id=made,
        overrides=pools,
        count=3,
        ClientToken="t",
    )


def test_deleting_an_instant_fleet_terminates_its_instances(served: Served) -> None:
    answer = create_fleet(served, template(served), overrides(served, ["g5.xlarge"], "a"), 2)
    active = served.ec2.describe_fleet_instances(FleetId=answer["FleetId"])["ActiveInstances"]
    assert {a["InstanceId"] for a in active} == set(launched(answer))
    unknown = "fleet-00000000-0000-0000-0000-000000000000"
    deleted = served.ec2.delete_fleets(
        FleetIds=[answer["FleetId"], unknown], TerminateInstances=True
    )
    assert deleted["SuccessfulFleetDeletions"][0]["CurrentFleetState"] == "deleted_terminating"
    assert deleted["UnsuccessfulFleetDeletions"][0]["Error"]["Code"] == "fleetIdDoesNotExist"
    assert {i["State"]["Name"] for i in instances(served)} <= {"shutting-down", "terminated"}
