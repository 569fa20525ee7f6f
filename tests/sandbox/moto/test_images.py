"""What moto does otherwise than EC2, as docs/moto.md says: images, snapshots and what can be launched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.moto.asking import BROKEN, launched, refusal

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

pytestmark = [pytest.mark.slow, pytest.mark.deep, pytest.mark.xdist_group("moto")]

TAGS: Any = [{"Key": "of", "Value": "mine"}]


@pytest.fixture
def image(ec2: EC2Client, image_id: str, request: pytest.FixtureRequest) -> str:
    """An image of the account's own."""
    name = request.node.name[:120]
    return ec2.create_image(InstanceId=launched(ec2, image_id), Name=name)["ImageId"]


def _described(ec2: EC2Client, image_id: str) -> Any:
    return ec2.describe_images(ImageIds=[image_id])["Images"][0]


def test_images_are_old_and_of_today(ec2: EC2Client) -> None:
    named: Any = [{"Name": "name", "Values": ["Deep Learning*"]}]
    found = ec2.describe_images(Filters=named, MaxResults=5)["Images"]
    assert sorted(image["Name"] for image in found) == [
        "Deep Learning AMI Amazon Linux - 3.3_Oct2017",
        "Deep Learning AMI Ubuntu Linux - 2.4_Oct2017",
    ]
    assert {image["CreationDate"][:4] for image in found} == {str(datetime.now(UTC).year)}


@pytest.mark.usefixtures("image")
def test_filters_on_images(ec2: EC2Client) -> None:
    every_year: Any = [{"Name": "creation-date", "Values": ["20*"]}]
    assert ec2.describe_images(Owners=["self"], Filters=every_year)["Images"] == []
    for name in ("ena-support", "platform-details"):
        wanted = {"Owners": ["self"], "Filters": [{"Name": name, "Values": ["true"]}]}
        assert refusal(ec2.describe_images, **wanted) == BROKEN


def test_an_image_is_there_at_once_and_a_name_serves_twice(ec2: EC2Client, image: str) -> None:
    assert _described(ec2, image)["State"] == "available"
    instance = launched(ec2, image)
    again = {"InstanceId": instance, "Name": _described(ec2, image)["Name"]}
    assert refusal(ec2.create_image, **again) is None


def test_a_snapshot_takes_no_tags(ec2: EC2Client, image: str) -> None:
    tagged = [{"ResourceType": "snapshot", "Tags": TAGS}]
    asked = {"InstanceId": launched(ec2, image), "Name": "tagged", "TagSpecifications": tagged}
    assert refusal(ec2.create_image, **asked) == BROKEN


def test_a_copy_has_no_tags_and_no_encryption(ec2: EC2Client, image: str) -> None:
    ec2.create_tags(Resources=[image], Tags=TAGS)
    copy = ec2.copy_image(
        SourceImageId=image,
        SourceRegion="us-east-1",
        Name="copy",
        Encrypted=True,
        CopyImageTags=True,
        TagSpecifications=[{"ResourceType": "image", "Tags": TAGS}],
    )["ImageId"]
    assert not _described(ec2, copy).get("Tags")
    assert "Encrypted" not in _described(ec2, copy)["BlockDeviceMappings"][0]["Ebs"]


def test_anybodys_image_can_be_changed(ec2: EC2Client, image_id: str) -> None:
    shared = {"LaunchPermission": {"Add": [{"UserId": "111122223333"}]}}
    assert refusal(ec2.modify_image_attribute, ImageId=image_id, **shared) is None


def test_deprecation_is_unknown(ec2: EC2Client, image: str) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert refusal(ec2.enable_image_deprecation, ImageId=image, DeprecateAt=at) == BROKEN
    assert refusal(ec2.disable_image_deprecation, ImageId=image) == BROKEN


def test_an_attribute_of_an_image_that_is_not_there(ec2: EC2Client) -> None:
    asked = {"ImageId": "ami-0123456789abcdef0", "Attribute": "launchPermission"}
    assert refusal(ec2.describe_image_attribute, **asked) == BROKEN


def test_a_deregistered_image_leaves_its_snapshot_and_can_be_launched(
    ec2: EC2Client, image: str
) -> None:
    snapshot = _described(ec2, image)["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    gone = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    assert "DeleteSnapshotResults" not in gone
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
    assert launched(ec2, image)


def test_a_registered_image_keeps_its_name(ec2: EC2Client) -> None:
    root: Any = {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9}}
    made = ec2.register_image(
        Name="registered",
        Architecture="arm64",
        RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[root],
    )["ImageId"]
    image = _described(ec2, made)
    assert image["RootDeviceName"] == "/dev/sda1"
    assert image["BlockDeviceMappings"][0]["Ebs"]["VolumeSize"] != 9


def test_everybodys_snapshots_are_the_accounts_own(ec2: EC2Client) -> None:
    snapshots = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert len(snapshots) > 1000


def test_instance_types_are_one_page_and_some_lack(ec2: EC2Client) -> None:
    family: Any = [{"Name": "instance-type", "Values": ["m5.*"]}]
    types = ec2.describe_instance_types(Filters=family, MaxResults=5)
    assert len(types["InstanceTypes"]) > 5
    assert "NextToken" not in types
    for lacking in ("p2.xlarge", "p3.2xlarge", "g3.4xlarge", "g3s.xlarge", "g7.xlarge"):
        assert (
            refusal(ec2.describe_instance_types, InstanceTypes=[lacking]) == "InvalidInstanceType"
        )


def test_offerings_know_no_pages_and_no_wildcards(ec2: EC2Client) -> None:
    offerings = ec2.describe_instance_type_offerings(MaxResults=5)
    assert len(offerings["InstanceTypeOfferings"]) > 1000
    assert "NextToken" not in offerings
    wanted: Any = [{"Name": "instance-type", "Values": ["g5.*"]}]
    assert ec2.describe_instance_type_offerings(Filters=wanted)["InstanceTypeOfferings"] == []


def test_spot_costs_nothing_since_2006(ec2: EC2Client) -> None:
    history: Any = ec2.describe_spot_price_history(InstanceTypes=["g5.xlarge"])
    assert {price["SpotPrice"] for price in history["SpotPriceHistory"]} == {"0.00001"}
    assert {price["Timestamp"].year for price in history["SpotPriceHistory"]} == {2006}
    scores = {"InstanceTypes": ["g5.xlarge"], "TargetCapacity": 1}
    assert refusal(ec2.get_spot_placement_scores, **scores) == BROKEN


def test_regions_of_other_partitions(ec2: EC2Client) -> None:
    names = {region["RegionName"] for region in ec2.describe_regions()["Regions"]}
    assert {"cn-north-1", "us-gov-west-1"} <= names
    assert refusal(ec2.describe_regions, RegionNames=["mars-1"]) is None
