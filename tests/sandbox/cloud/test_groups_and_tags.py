"""Launch templates, security groups in use, interfaces, tags, key pairs, the default VPC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import PUBLIC_KEY, image_id, instances, refused, states, template
from tests.sandbox.cloud.recording import eventually

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def group(served: Served, name: str = "g") -> str:
    return served.ec2.create_security_group(GroupName=name, Description="d")["GroupId"]


def test_a_group_is_deleted_only_when_no_instance_uses_it(served: Served) -> None:
    group_id = group(served)
    served.ec2.run_instances(
        ImageId=image_id(served),
        InstanceType="t3.medium",
        SecurityGroupIds=[group_id],
        MinCount=1,
        MaxCount=1,
    )
    refused("DependencyViolation", served.ec2.delete_security_group, GroupId=group_id)
    by_group: Any = [{"Name": "group-id", "Values": [group_id]}]
    found = served.ec2.describe_network_interfaces(Filters=by_group)["NetworkInterfaces"]
    assert len(found) == 1
    served.ec2.terminate_instances(InstanceIds=[instances(served)[0]["InstanceId"]])
    refused("DependencyViolation", served.ec2.delete_security_group, GroupId=group_id)
    eventually(lambda: states(served), lambda found: found == {"terminated"})
    served.ec2.delete_security_group(GroupId=group_id)
    assert served.ec2.describe_network_interfaces(Filters=by_group)["NetworkInterfaces"] == []


def test_a_group_that_another_group_refers_to(served: Served) -> None:
    inner, outer = group(served, "inner"), group(served, "outer")
    rule: Any = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "UserIdGroupPairs": [{"GroupId": inner}],
    }
    served.ec2.authorize_security_group_ingress(GroupId=outer, IpPermissions=[rule])
    refused("DependencyViolation", served.ec2.delete_security_group, GroupId=inner)
    served.ec2.delete_security_group(GroupId=outer)
    served.ec2.delete_security_group(GroupId=inner)


def test_a_group_that_an_interface_uses(served: Served) -> None:
    group_id = group(served)
    subnet = served.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = served.ec2.create_network_interface(SubnetId=subnet, Groups=[group_id])
    refused("DependencyViolation", served.ec2.delete_security_group, GroupId=group_id)
    served.ec2.delete_network_interface(
        NetworkInterfaceId=made["NetworkInterface"]["NetworkInterfaceId"]
    )
    served.ec2.delete_security_group(GroupId=group_id)


def test_rules_duplicates_and_dry_runs(served: Served) -> None:
    group_id = group(served)
    refused("InvalidGroup.Duplicate", group, served=served)
    rule: Any = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "127.0.0.1/32"}],
    }
    served.ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[rule])
    refused(
        "InvalidPermission.Duplicate",
        served.ec2.authorize_security_group_ingress,
        GroupId=group_id,
        IpPermissions=[rule],
    )
    dry = {"GroupId": group_id, "DryRun": True}
    refused("DryRunOperation", served.ec2.delete_security_group, **dry)
    default: Any = [{"Name": "group-name", "Values": ["default"]}]
    found = served.ec2.describe_security_groups(Filters=default)["SecurityGroups"][0]["GroupId"]
    refused("CannotDelete", served.ec2.delete_security_group, GroupId=found)


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        ("i-00000000000000000", "InvalidInstanceID.NotFound"),
        ("ami-00000000000000000", "InvalidAMIID.NotFound"),
        ("vol-00000000000000000", "InvalidVolume.NotFound"),
        ("snap-00000000000000000", "InvalidSnapshot.NotFound"),
        ("eni-00000000000000000", "InvalidNetworkInterfaceID.NotFound"),
        ("sg-00000000000000000", "InvalidGroup.NotFound"),
        ("subnet-00000000000000000", "InvalidSubnetID.NotFound"),
        ("vpc-00000000000000000", "InvalidVpcID.NotFound"),
        ("lt-00000000000000000", "InvalidLaunchTemplateId.NotFound"),
    ],
)
def test_tags_on_what_is_not_there(served: Served, resource: str, code: str) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    refused(code, served.ec2.create_tags, Resources=[resource], Tags=tags)


def test_tags_of_every_kind_of_resource(served: Served) -> None:
    key = served.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=PUBLIC_KEY)["KeyPairId"]
    resources = [key, group(served), template(served)]
    served.ec2.create_tags(Resources=resources, Tags=[{"Key": "fleet:name", "Value": "a"}])
    by_tag: Any = [{"Name": "tag:fleet:name", "Values": ["a"]}]
    tagged = served.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["fleet:name"]}])["Tags"]
    assert {t["ResourceId"] for t in tagged} == set(resources)
    assert len(served.ec2.describe_security_groups(Filters=by_tag)["SecurityGroups"]) == 1
    assert len(served.ec2.describe_key_pairs(Filters=by_tag)["KeyPairs"]) == 1
    assert len(served.ec2.describe_launch_templates(Filters=by_tag)["LaunchTemplates"]) == 1
    reserved = [{"Key": "aws:mine", "Value": "b"}]
    refused("InvalidParameterValue", served.ec2.create_tags, Resources=[key], Tags=reserved)


def test_templates_are_made_once_per_token(served: Served) -> None:
    request: dict[str, Any] = {
        "LaunchTemplateName": "once",
        "LaunchTemplateData": {"InstanceType": "t3.medium"},
        "ClientToken": "t",
    }
    first = served.ec2.create_launch_template(**request)["LaunchTemplate"]
    again = served.ec2.create_launch_template(**request)["LaunchTemplate"]
    assert first["LaunchTemplateId"] == again["LaunchTemplateId"]
    other = {**request, "LaunchTemplateName": "other"}
    refused("IdempotentParameterMismatch", served.ec2.create_launch_template, **other)
    request["ClientToken"] = "u"
    code = "InvalidLaunchTemplateName.AlreadyExistsException"
    refused(code, served.ec2.create_launch_template, **request)


def test_versions_inherit_from_their_source(served: Served) -> None:
    made = template(served)
    for _ in range(2):
        version = served.ec2.create_launch_template_version(
            LaunchTemplateId=made,
            SourceVersion="1",
            LaunchTemplateData={"InstanceType": "g5.xlarge"},
            ClientToken="v",
        )["LaunchTemplateVersion"]
        assert version["VersionNumber"] == 2
    data = served.ec2.describe_launch_template_versions(
        LaunchTemplateId=made, Versions=["$Latest"]
    )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    assert data["InstanceType"] == "g5.xlarge"
    assert data["KeyName"] == "course"
    assert data["MetadataOptions"]["HttpTokens"] == "required"


def test_more_templates_than_a_page(served: Served) -> None:
    for number in range(20):
        served.ec2.create_launch_template(
            LaunchTemplateName=f"t-{number:02d}", LaunchTemplateData={"InstanceType": "t3.medium"}
        )
    assert len(served.ec2.describe_launch_templates()["LaunchTemplates"]) == 20
    page = served.ec2.describe_launch_templates(MaxResults=8)
    assert (len(page["LaunchTemplates"]), bool(page["NextToken"])) == (8, True)


def test_unknown_templates(served: Served) -> None:
    describe = served.ec2.describe_launch_templates
    refused("InvalidLaunchTemplateId.NotFound", describe, LaunchTemplateIds=["lt-" + "0" * 17])
    code = "InvalidLaunchTemplateName.NotFoundException"
    refused(code, describe, LaunchTemplateNames=["nobody"])
    refused(code, served.ec2.delete_launch_template, LaunchTemplateName="nobody")


def test_the_default_vpc(served: Served) -> None:
    found = served.ec2.describe_subnets()["Subnets"]
    assert {s["AvailabilityZone"] for s in found} == {f"us-east-1{c}" for c in "abcdef"}
    assert all(s["MapPublicIpOnLaunch"] and s["DefaultForAz"] for s in found)
    west = served.client("ec2", region="eu-west-1")
    assert len(west.describe_subnets()["Subnets"]) >= 3


def test_key_pairs(served: Served) -> None:
    served.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=PUBLIC_KEY)
    again = {"KeyName": "k", "PublicKeyMaterial": PUBLIC_KEY}
    refused("InvalidKeyPair.Duplicate", served.ec2.import_key_pair, **again)
    refused("InvalidKeyPair.NotFound", served.ec2.describe_key_pairs, KeyNames=["nobody"])
    served.ec2.delete_key_pair(KeyName="nobody")


def test_descriptions_can_be_dry_runs(served: Served) -> None:
    for describe in (
        served.ec2.describe_instances,
        served.ec2.describe_security_groups,
        served.ec2.describe_volumes,
        served.ec2.describe_key_pairs,
        served.ec2.describe_spot_price_history,
    ):
        refused("DryRunOperation", describe, DryRun=True)


def test_only_the_accounts_own_snapshots(served: Served) -> None:
    assert served.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    refused(
        "InvalidSnapshot.NotFound", served.ec2.describe_snapshots, SnapshotIds=["snap-" + "0" * 17]
    )
    message = refused(
        "InvalidVolume.NotFound", served.ec2.describe_volumes, VolumeIds=["vol-" + "0" * 17]
    )
    assert "'vol-" in message
