"""A VPC of one's own in a real (sandboxed) EC2: route tables, private subnets, the launch template's interface."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from fleet.errors import FleetError
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Vpc:
    """A VPC with a public subnet in zone a, one behind a NAT gateway in zone b, and a closed one in zone c."""

    vpc_id: str
    public: str
    private: str
    closed: str


def make_vpc(world: World) -> Vpc:
    ec2 = world.served.ec2
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"us-east-1{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in enumerate("abc")
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], ConnectivityType="public")
    nat_id = nat["NatGateway"]["NatGatewayId"]
    for subnet, target in (
        (subnets[0], {"GatewayId": gateway}),
        (subnets[1], {"NatGatewayId": nat_id}),
    ):
        table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
        route: Any = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", **target}
        ec2.create_route(**route)
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    return Vpc(vpc_id, *subnets)


def template_data(world: World) -> Any:
    versions = world.served.ec2.describe_launch_template_versions(
        LaunchTemplateName="fleet-workshop", Versions=["$Latest"]
    )
    return versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]


def instances(world: World) -> list[Any]:
    found = world.served.ec2.describe_instances()["Reservations"]
    return [instance for reservation in found for instance in reservation["Instances"]]


def launch_one(world: World, subnet: str) -> Any:
    world.served.ec2.create_fleet(
        Type="instant",
        TargetCapacitySpecification={
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "on-demand",
        },
        LaunchTemplateConfigs=[
            {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateName": "fleet-workshop",
                    "Version": "$Latest",
                },
                "Overrides": [{"InstanceType": "g5.xlarge", "SubnetId": subnet}],
            }
        ],
    )
    (instance,) = instances(world)
    return instance


def test_the_default_subnets_are_public(world: World) -> None:
    found = world.plan()
    assert all(subnet.default_route.startswith("igw-") for subnet in found.network.subnets)


def test_of_a_vpc_the_public_subnets_are_taken(world: World) -> None:
    vpc = make_vpc(world)
    found = world.plan(access=f"{{vpc: {vpc.vpc_id}}}")
    assert {pool.subnet_id for pool in found.pools} == {vpc.public}
    ensure_prerequisites(world.context, found)
    (interface,) = template_data(world)["NetworkInterfaces"]
    assert interface["AssociatePublicIpAddress"] is True
    instance = launch_one(world, vpc.public)
    assert instance["PublicIpAddress"], "the subnet's own setting says no"
    assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["fleet-workshop"]


def test_private_subnets_with_a_way_in(world: World) -> None:
    vpc = make_vpc(world)
    access = f"{{from: [10.0.0.0/16], subnets: [{vpc.private}, {vpc.closed}], via: direct}}"
    found = world.plan(access=access)
    assert {pool.subnet_id for pool in found.pools} <= {vpc.private, vpc.closed}
    assert any(f"gateway) in {vpc.closed}: packages" in text for text in found.warnings)
    ensure_prerequisites(world.context, found)
    instance = launch_one(world, vpc.private)
    assert "PublicIpAddress" not in instance
    assert {"Key": "fleet:via", "Value": "direct"} in instance["Tags"]


def test_a_public_subnet_gives_no_public_address_where_none_is_wanted(world: World) -> None:
    found = world.plan(access="{from: [172.31.0.0/16], via: direct}")
    ensure_prerequisites(world.context, found)
    assert "PublicIpAddress" not in launch_one(world, found.pools[0].subnet_id)


def test_private_subnets_without_a_way_in_are_refused(world: World) -> None:
    vpc = make_vpc(world)
    with pytest.raises(FleetError, match=f"nobody would reach instances in {vpc.private}:"):
        world.plan(access=f"{{subnets: [{vpc.public}, {vpc.private}]}}")


def test_ids_that_are_not_there(world: World) -> None:
    vpc = make_vpc(world)
    missing = "subnet-0123456789abcdef0"
    with pytest.raises(FleetError, match=f"access.subnets: {missing} cannot be found in us-east-1"):
        world.plan(access=f"{{subnets: [{vpc.public}, {missing}]}}")
    with pytest.raises(FleetError, match="vpc-0123456789abcdef0 cannot be found"):
        world.plan(access="{vpc: vpc-0123456789abcdef0}")


def test_a_route_through_a_gateway_that_is_gone_reaches_nobody(world: World) -> None:
    vpc = make_vpc(world)
    ec2 = world.served.ec2
    tables = ec2.describe_route_tables(
        Filters=[{"Name": "association.subnet-id", "Values": [vpc.public]}]
    )
    (table,) = tables["RouteTables"]
    ec2.delete_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock="0.0.0.0/0")
    with pytest.raises(FleetError, match="nobody would reach"):
        world.plan(access=f"{{subnets: [{vpc.public}]}}")


@pytest.mark.parametrize("written", ["name", "arn"])
def test_an_instance_profile(world: World, written: str) -> None:
    iam = world.served.client("iam")
    arn = iam.create_instance_profile(InstanceProfileName="team")["InstanceProfile"]["Arn"]
    try:
        profile = "team" if written == "name" else arn
        found = world.plan(instances=f"{{types: [g5.xlarge], profile: '{profile}'}}")
        ensure_prerequisites(world.context, found)
        instance = launch_one(world, found.pools[0].subnet_id)
        assert instance["IamInstanceProfile"]["Arn"] == arn
    finally:
        iam.delete_instance_profile(InstanceProfileName="team")


def test_an_unknown_instance_profile(world: World) -> None:
    with pytest.raises(FleetError, match="there is no instance profile team: correct it"):
        world.plan(instances="{types: [g5.xlarge], profile: team}")
    assert instances(world) == []


def test_the_launch_template(world: World) -> None:
    ensure_prerequisites(
        world.context, world.plan(volume="{size: 200GiB, iops: 4000, throughput: 500}")
    )
    data = template_data(world)
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    assert data["InstanceInitiatedShutdownBehavior"] == "terminate"
    (device,) = data["BlockDeviceMappings"]
    assert device["DeviceName"] == "/dev/sda1"
    ebs = device["Ebs"]
    assert (ebs["Encrypted"], ebs["VolumeType"], ebs["DeleteOnTermination"]) == (True, "gp3", True)
    assert (ebs["VolumeSize"], ebs["Iops"], ebs["Throughput"]) == (200, 4000, 500)
    assert {s["ResourceType"] for s in data["TagSpecifications"]} == {
        "instance", "volume", "network-interface",
    }  # fmt: skip


def test_instances_that_never_expire_stop_at_a_shutdown(world: World) -> None:
    ensure_prerequisites(world.context, world.plan(expires="never"))
    assert template_data(world)["InstanceInitiatedShutdownBehavior"] == "stop"
