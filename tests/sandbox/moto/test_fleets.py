"""What moto does otherwise than EC2, as docs/moto.md says: launch templates and fleets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.moto.asking import BROKEN, described, refusal, volumes

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

pytestmark = [pytest.mark.slow, pytest.mark.deep, pytest.mark.xdist_group("moto")]


@pytest.fixture(scope="session")
def template(ec2: EC2Client, image_id: str) -> str:
    group = ec2.create_security_group(GroupName="of-template", Description="one")["GroupId"]
    root: Any = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 44, "VolumeType": "gp3"}}
    made = ec2.create_launch_template(
        LaunchTemplateName="whole",
        LaunchTemplateData={
            "ImageId": image_id,
            "InstanceType": "t3.micro",
            "SecurityGroupIds": [group],
            "MetadataOptions": {"HttpTokens": "required"},
            "BlockDeviceMappings": [root],
            "TagSpecifications": [
                {"ResourceType": "volume", "Tags": [{"Key": "of", "Value": "template"}]}
            ],
        },
    )
    return made["LaunchTemplate"]["LaunchTemplateId"]


def _fleet(ec2: EC2Client, template: str, *overrides: Any, **asked: Any) -> Any:
    specification: Any = {"LaunchTemplateId": template, "Version": "$Latest"}
    arguments: dict[str, Any] = {
        "Type": "instant",
        "LaunchTemplateConfigs": [
            {"LaunchTemplateSpecification": specification, "Overrides": list(overrides)}
        ],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "on-demand",
        },
    }
    return ec2.create_fleet(**{**arguments, **asked})


def _instance(ec2: EC2Client, fleet: Any) -> Any:
    return described(ec2, fleet["Instances"][0]["InstanceIds"][0])


SMALL = {"InstanceType": "t3.small", "AvailabilityZone": "us-east-1c"}


def test_run_instances_loses_part_of_a_template(ec2: EC2Client, template: str) -> None:
    by_id: Any = {"LaunchTemplateId": template}
    made = ec2.run_instances(LaunchTemplate=by_id, MinCount=1, MaxCount=1)["Instances"][0]
    instance = made["InstanceId"]
    assert described(ec2, instance)["MetadataOptions"]["HttpTokens"] == "optional"
    assert [(v["Size"], v["VolumeType"]) for v in volumes(ec2, instance)] == [
        (8, "gp2"),
        (44, "gp3"),
    ]


def test_create_fleet_loses_more_of_it(ec2: EC2Client, template: str) -> None:
    made = _instance(ec2, _fleet(ec2, template, SMALL))
    assert made["SecurityGroups"] == []
    assert made["MetadataOptions"]["HttpTokens"] == "optional"
    assert made["Placement"]["AvailabilityZone"] == "us-east-1a"
    assert [(v["Size"], v["VolumeType"]) for v in volumes(ec2, made["InstanceId"])] == [(8, "gp2")]
    assert "aws:ec2:fleet-id" not in {tag["Key"] for tag in made.get("Tags", [])}


def test_create_fleet_takes_whatever_stands_first(ec2: EC2Client, template: str) -> None:
    bogus = _fleet(ec2, template, {"InstanceType": "zz9.plural"}, SMALL)
    assert bogus["Instances"][0]["InstanceType"] == "zz9.plural"
    assert not bogus.get("Errors")
    large = {"InstanceRequirements": {"VCpuCount": {"Min": 64}, "MemoryMiB": {"Min": 1}}}
    assert _fleet(ec2, template, large)["Instances"][0]["InstanceType"] == "t3.micro"
    strategy = {"OnDemandOptions": {"AllocationStrategy": "nonsense"}}
    assert _fleet(ec2, template, SMALL, **strategy)["Instances"]


def test_create_fleet_has_an_entry_for_each_instance(ec2: EC2Client, template: str) -> None:
    two: Any = {"TotalTargetCapacity": 2, "DefaultTargetCapacityType": "on-demand"}
    made = _fleet(ec2, template, SMALL, TargetCapacitySpecification=two)
    assert [len(entry["InstanceIds"]) for entry in made["Instances"]] == [1, 1]


def test_create_fleet_on_spot_needs_a_strategy(ec2: EC2Client, template: str) -> None:
    spot: Any = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": "spot"}
    asked = {"TargetCapacitySpecification": spot, "SpotOptions": {"MinTargetCapacity": 1}}
    assert refusal(lambda: _fleet(ec2, template, SMALL, **asked)) == BROKEN


def test_a_client_token_buys_a_fleet_twice(ec2: EC2Client, template: str) -> None:
    first, again = (_fleet(ec2, template, SMALL, ClientToken="once")["FleetId"] for _ in range(2))
    assert first != again


def test_fleets_that_are_not_there(ec2: EC2Client) -> None:
    unknown = {"FleetIds": ["fleet-12a34b55-67cd-8ef9-ba9b-9208dEXAMPLE"]}
    assert refusal(ec2.describe_fleets, **unknown) is None
    assert refusal(ec2.delete_fleets, **unknown, TerminateInstances=True) == BROKEN


def test_an_instant_fleet_is_listed_and_leaves_its_instances(ec2: EC2Client, template: str) -> None:
    made = _fleet(ec2, template, SMALL)
    assert made["FleetId"] in {fleet["FleetId"] for fleet in ec2.describe_fleets()["Fleets"]}
    ec2.delete_fleets(FleetIds=[made["FleetId"]], TerminateInstances=False)
    assert _instance(ec2, made)["State"]["Name"] == "running"


def test_a_template_is_made_once_and_then_refused(ec2: EC2Client, image_id: str) -> None:
    data: Any = {"LaunchTemplateData": {"ImageId": image_id}, "ClientToken": "once"}
    ec2.create_launch_template(LaunchTemplateName="once", **data)
    again = refusal(ec2.create_launch_template, LaunchTemplateName="once", **data)
    assert again == "InvalidLaunchTemplateName.AlreadyExistsException"


def test_source_version_is_forgotten(ec2: EC2Client, template: str) -> None:
    made = ec2.create_launch_template_version(
        LaunchTemplateId=template,
        SourceVersion="1",
        LaunchTemplateData={"InstanceType": "t3.micro"},
    )
    assert "ImageId" not in made["LaunchTemplateVersion"]["LaunchTemplateData"]
    # So that later tests launch from a whole version again.
    first = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["1"])
    data: Any = first["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    ec2.create_launch_template_version(LaunchTemplateId=template, LaunchTemplateData=data)


def test_descriptions_end_at_fifteen(ec2: EC2Client, image_id: str) -> None:
    for number in range(20):
        name = f"many-{number}"
        ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"ImageId": image_id}
        )
        ec2.create_launch_template_version(
            LaunchTemplateName="many-0", LaunchTemplateData={"ImageId": image_id}
        )
    templates = ec2.describe_launch_templates()
    assert len(templates["LaunchTemplates"]) == 15
    assert "NextToken" not in templates
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="many-0")
    assert len(versions["LaunchTemplateVersions"]) == 15
    assert "NextToken" not in versions


def test_templates_that_are_not_there(ec2: EC2Client) -> None:
    unknown = "lt-0123456789abcdef0"
    assert refusal(ec2.describe_launch_templates, LaunchTemplateIds=[unknown]) is None
    code = refusal(ec2.delete_launch_template, LaunchTemplateId=unknown)
    assert code == "InvalidLaunchTemplateName.NotFoundException"
