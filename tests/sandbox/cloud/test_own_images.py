"""Images of the account's own: made from an instance, copied, deprecated, removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import TAGS, image_id, instances, refused, states
from tests.sandbox.cloud.recording import eventually

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow

BOTH: Any = [{"ResourceType": kind, "Tags": TAGS} for kind in ("image", "snapshot")]


def baked(served: Served, **more: Any) -> str:
    """An image made from a running instance."""
    served.ec2.run_instances(
        ImageId=image_id(served), InstanceType="t3.medium", MinCount=1, MaxCount=1
    )
    eventually(lambda: states(served), lambda found: found == {"running"})
    instance = instances(served)[0]["InstanceId"]
    request: Any = {"InstanceId": instance, "Name": "baked", "TagSpecifications": BOTH, **more}
    return served.ec2.create_image(**request)["ImageId"]


def whole(served: Served, image: str) -> None:
    """Wait for an image."""
    served.ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig={"Delay": 1})


def mine(served: Served) -> list[Any]:
    return list(served.ec2.describe_images(Owners=["self"])["Images"])


def test_an_image_is_pending_then_available_and_can_be_launched(served: Served) -> None:
    made = baked(served, NoReboot=True)
    assert mine(served)[0]["State"] == "pending"
    whole(served, made)
    (image,) = mine(served)
    assert (image["ImageId"], image["Name"], image["RootDeviceName"]) == (
        made,
        "baked",
        "/dev/sda1",
    )
    assert image["Tags"] == TAGS
    assert not image["Public"]
    (snapshot,) = served.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert snapshot["SnapshotId"] == image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]
    assert snapshot["Tags"] == TAGS
    request: Any = {"ImageId": made, "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
    (again,) = served.ec2.run_instances(**request)["Instances"]
    host = eventually(lambda: served.driver.booted.get(again["InstanceId"]), bool)
    assert host is not None
    assert (host.user, host.kept_disk) == ("ubuntu", made)
    assert served.driver.of(instances(served)[0]["InstanceId"]) == ["boot", "keep"]


def test_making_an_image_reboots_the_host(served: Served) -> None:
    baked(served)
    instance = instances(served)[0]["InstanceId"]
    whole = ["boot", "power_off", "keep", "boot"]
    eventually(lambda: served.driver.of(instance), lambda calls: calls == whole)


def test_an_image_that_is_not_whole_yet_cannot_be_used(served: Served) -> None:
    served.driver.slow = 2.0
    made = baked(served, NoReboot=True)
    launch: Any = {"ImageId": made, "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
    refused("InvalidAMIID.Unavailable", served.ec2.run_instances, **launch)
    copy: Any = {"SourceImageId": made, "SourceRegion": "us-east-1", "Name": "copied"}
    refused("InvalidAMIID.Unavailable", served.ec2.copy_image, **copy)


def test_an_image_whose_disk_cannot_be_kept_fails(served: Served) -> None:
    served.driver.full = True
    baked(served, NoReboot=True)
    eventually(lambda: mine(served)[0]["State"], lambda state: state == "failed")
    (image,) = mine(served)
    assert image["StateReason"]["Code"] == "Server.InternalError"
    (snapshot,) = served.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert snapshot["State"] == "error"


def test_names_are_unique(served: Served) -> None:
    baked(served)
    instance = instances(served)[0]["InstanceId"]
    create = served.ec2.create_image
    refused("InvalidAMIName.Duplicate", create, InstanceId=instance, Name="baked")
    refused("InvalidAMIName.Malformed", create, InstanceId=instance, Name="b" * 129)
    refused("InvalidInstanceID.NotFound", create, InstanceId="i-" + "0" * 17, Name="other")
    refused("DryRunOperation", create, InstanceId=instance, Name="other", DryRun=True)


def test_a_copy_in_another_region_with_its_tags(served: Served) -> None:
    made = baked(served)
    whole(served, made)
    there = served.client("ec2", region="eu-west-1")
    copied = there.copy_image(
        SourceImageId=made, SourceRegion="us-east-1", Name="copied", CopyImageTags=True
    )["ImageId"]
    (image,) = there.describe_images(ImageIds=[copied])["Images"]
    assert image["Tags"] == TAGS


def test_a_kept_disk_goes_with_the_last_image_of_it(served: Served) -> None:
    made = baked(served)
    whole(served, made)
    copied = served.ec2.copy_image(SourceImageId=made, SourceRegion="us-east-1", Name="copied")
    for image, kept in ((made, {made}), (copied["ImageId"], set())):
        served.ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
        assert served.driver.kept == kept


def test_removing_an_image_with_its_snapshot(served: Served) -> None:
    made = baked(served)
    answer = served.ec2.deregister_image(ImageId=made, DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"][0]["ReturnCode"] == "success"
    assert served.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    refused("InvalidAMIID.NotFound", served.ec2.describe_images, ImageIds=[made])
    launch: Any = {"ImageId": made, "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
    refused("InvalidAMIID.NotFound", served.ec2.run_instances, **launch)
    refused("AuthFailure", served.ec2.deregister_image, ImageId=image_id(served))


def test_only_ones_own_images_are_shared_and_described(served: Served) -> None:
    others, nobodys = image_id(served), "ami-" + "0" * 17
    add: Any = {"Add": [{"UserId": "111122223333"}]}
    modify, describe = served.ec2.modify_image_attribute, served.ec2.describe_image_attribute
    refused("AuthFailure", modify, ImageId=others, LaunchPermission=add)
    refused("InvalidAMIID.NotFound", modify, ImageId=nobodys, LaunchPermission=add)
    refused("AuthFailure", describe, ImageId=others, Attribute="launchPermission")
    refused("InvalidAMIID.NotFound", describe, ImageId=nobodys, Attribute="launchPermission")
    made = baked(served)
    whole(served, made)
    wrong: Any = {"Add": [{"UserId": "1234"}]}
    refused("InvalidAMIAttributeItemValue", modify, ImageId=made, LaunchPermission=wrong)


def test_deprecation(served: Served) -> None:
    made = baked(served)
    whole(served, made)
    when = datetime.now(UTC) + timedelta(days=30)
    served.ec2.enable_image_deprecation(ImageId=made, DeprecateAt=when)
    assert mine(served)[0]["DeprecationTime"].startswith(f"{when:%Y-%m-%d}")
    served.ec2.disable_image_deprecation(ImageId=made)
    assert "DeprecationTime" not in mine(served)[0]
