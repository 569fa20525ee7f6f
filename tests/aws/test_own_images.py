"""Images of the account's own over the sandbox's EC2: made, copied, shared, deprecated, and who uses them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fleet.aws.instances import stop_instances
from fleet.aws.own_images import (
    copy_image,
    create_image,
    deprecate_image,
    describe_image_users,
    describe_progress,
    describe_recipe_images,
    describe_sharing,
    share_image,
    tag_resources,
)
from fleet.aws.snapshots import delete_snapshot, deregister_image
from fleet.errors import AwsError, InUseError, NameTakenError, NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageProgress
from tests.aws.conftest import Region
from tests.sandbox.cloud.asking import template
from tests.sandbox.cloud.recording import eventually

pytestmark = pytest.mark.slow

TEAM = {tags.RECIPE: "team", tags.MANAGED_BY: tags.MAKER, tags.STATUS: tags.CANDIDATE}
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER = "210987654321"


def made(region: Region, *, name: str = "team-1", key: str | None = None, **more: Any) -> str:
    return create_image(
        region.aws,
        instance_id=region.launched(key=key)["InstanceId"],
        name=name,
        description="of the team",
        tags={**TEAM, **more},
        no_reboot=True,
    )


def finished(region: Region, image_id: str) -> ImageProgress:
    return eventually(
        lambda: describe_progress(region.aws, image_id=image_id),
        lambda progress: progress.state not in {"", "pending"},
    )


def copied(region: Region, source: str, **changes: Any) -> str:
    request: dict[str, Any] = {
        "source": source,
        "source_region": "us-east-1",
        "name": "team-1",
        "description": "a copy",
        "tags": TEAM,
        "encrypted": True,
        "kms_key": KEY,
        "client_token": "once",
    }
    return copy_image(region.aws.in_region("eu-west-1"), **{**request, **changes})


def test_an_image_shows_how_far_it_is(region: Region) -> None:
    region.served.driver.slow = 1.0
    image_id = made(region)
    begun = describe_progress(region.aws, image_id=image_id)
    assert begun.state == "pending"
    later = eventually(
        lambda: describe_progress(region.aws, image_id=image_id).percent,
        lambda percent: (percent or 0) > (begun.percent or 0),
    )
    assert 0 < (later or 0) <= 100
    whole = finished(region, image_id)
    assert (whole.state, whole.percent, whole.reason) == ("available", 100, "")
    (image,) = describe_recipe_images(region.aws, recipe="team")
    assert image.tags == TEAM
    assert image.encrypted, "its instance's volume is"
    assert image.snapshot_ids == whole.snapshot_ids
    (snapshot,) = region.aws.ec2.describe_snapshots(SnapshotIds=list(whole.snapshot_ids))[
        "Snapshots"
    ]
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == TEAM
    assert (snapshot["State"], snapshot["Progress"]) == ("completed", "100%")
    assert describe_progress(region.aws, image_id="ami-0" + 16 * "1") == ImageProgress("")


def test_a_name_is_taken_by_oneself_too_where_the_answer_was_lost(region: Region) -> None:
    instance_id = region.launched()["InstanceId"]
    region.served.cloud.faults.add("lost-response", action="CreateImage", calls=1)
    request: Any = {"instance_id": instance_id, "name": "team-1", "description": "", "tags": TEAM}
    with pytest.raises(NameTakenError, match=r"already in use by AMI ami-.*another name") as caught:
        create_image(region.aws, **request)
    assert caught.value.code == "InvalidAMIName.Duplicate"
    (image,) = describe_recipe_images(region.aws, recipe=None)
    assert (image.name, image.tags) == ("team-1", TEAM)


def test_an_image_that_fails_says_why(region: Region) -> None:
    region.served.cloud.faults.add("image-fails", calls=1)
    failed = finished(region, made(region))
    assert failed.state == "failed"
    assert "snapshot of the image failed" in failed.reason
    (image,) = describe_recipe_images(region.aws, recipe="team")
    assert image.state_reason == failed.reason
    assert finished(region, made(region, name="team-2")).state == "available"


def test_an_image_stays_pending_until_the_fault_is_cleared(region: Region) -> None:
    fault = region.served.cloud.faults.add("slow-image", delay="20m", calls=1)
    image_id = made(region)
    eventually(lambda: region.served.driver.kept, lambda kept: image_id in kept)
    progress = describe_progress(region.aws, image_id=image_id)
    assert progress.state == "pending"
    assert progress.percent is not None
    assert progress.percent < 100
    with pytest.raises(NotFoundError, match="not available"):
        copied(region, image_id)
    region.served.cloud.faults.clear(fault.id)
    assert finished(region, image_id).state == "available"


def test_an_image_removed_before_it_is_whole_leaves_no_disk(region: Region) -> None:
    region.served.driver.slow = 0.5
    image_id = made(region)
    (image,) = describe_recipe_images(region.aws, recipe="team")
    with pytest.raises(InUseError):
        delete_snapshot(region.aws, snapshot_id=image.snapshot_ids[0])
    deregister_image(region.aws, image_id=image_id)
    delete_snapshot(region.aws, snapshot_id=image.snapshot_ids[0])
    driver = region.served.driver
    eventually(lambda: [verb for verb, _ in list(driver.calls)], lambda verbs: "keep" in verbs)
    eventually(lambda: driver.kept, lambda kept: kept == set())
    assert region.aws.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_a_copy_elsewhere_is_encrypted_and_begins_with_the_disk(region: Region) -> None:
    image_id = made(region)
    finished(region, image_id)
    there = region.aws.in_region("eu-west-1")
    assert there.in_region("eu-west-1") is there
    copy_id = copied(region, image_id)
    assert copied(region, image_id) == copy_id, "the same under the same ClientToken"
    with pytest.raises(NameTakenError):
        copied(region, image_id, client_token="again")
    abroad = Region(region.served, there)
    assert finished(abroad, copy_id).state == "available"
    (image,) = describe_recipe_images(there, recipe="team")
    (original,) = describe_recipe_images(region.aws, recipe="team")
    assert (image.name, image.tags, image.encrypted) == ("team-1", TEAM, True)
    assert image.snapshot_ids != original.snapshot_ids
    (snapshot,) = there.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert snapshot["KmsKeyId"] == KEY
    launch: Any = {"ImageId": copy_id, "InstanceType": "t3.medium", "MinCount": 1, "MaxCount": 1}
    (begun,) = there.ec2.run_instances(**launch)["Instances"]
    host = eventually(lambda: region.served.driver.booted.get(begun["InstanceId"]), bool)
    assert host is not None
    assert host.kept_disk == image_id
    (volume,) = there.ec2.describe_volumes()["Volumes"]
    assert (volume["Encrypted"], volume["KmsKeyId"]) == (True, KEY)


def test_a_copy_with_a_key_and_no_encryption_is_refused(region: Region) -> None:
    image_id = made(region)
    finished(region, image_id)
    with pytest.raises(AwsError, match="requires the parameter Encrypted"):
        copied(region, image_id, encrypted=False)


def test_sharing_needs_a_key_of_ones_own(region: Region) -> None:
    image_id = made(region)
    with pytest.raises(NotFoundError, match="not available"):
        share_image(region.aws, image_id=image_id, add=[OTHER])
    finished(region, image_id)
    with pytest.raises(AwsError, match="encrypted with the AWS Managed CMK"):
        share_image(region.aws, image_id=image_id, add=[OTHER])
    shared = made(region, name="team-2", key=KEY)
    finished(region, shared)
    share_image(region.aws, image_id=shared, add=[OTHER, "123123123123"])
    share_image(region.aws, image_id=shared, add=[OTHER])
    assert describe_sharing(region.aws, image_id=shared) == ("123123123123", OTHER)
    seen = region.aws.ec2.describe_images(ExecutableUsers=[OTHER], Owners=["self"])["Images"]
    assert [image["ImageId"] for image in seen] == [shared]
    share_image(region.aws, image_id=shared, remove=[OTHER])
    assert describe_sharing(region.aws, image_id=shared) == ("123123123123",)
    assert describe_sharing(region.aws, image_id=image_id) == ()


def test_deprecation_to_the_minute_and_back(region: Region) -> None:
    image_id = made(region)
    finished(region, image_id)
    at = (datetime.now(UTC) + timedelta(days=30)).replace(second=0, microsecond=0)
    deprecate_image(region.aws, image_id=image_id, at=at + timedelta(seconds=5))
    assert [i.deprecated_at for i in describe_recipe_images(region.aws, recipe="team")] == [at]
    deprecate_image(region.aws, image_id=image_id, at=None)
    assert [i.deprecated_at for i in describe_recipe_images(region.aws, recipe=None)] == [None]
    with pytest.raises(AwsError, match="in the future"):
        deprecate_image(region.aws, image_id=image_id, at=datetime.now(UTC) - timedelta(days=1))


def test_images_of_a_recipe_are_those_with_our_mark(region: Region) -> None:
    ours = made(region)
    made(region, name="other-1", **{tags.RECIPE: "other"})
    made(region, name="theirs", **{tags.MANAGED_BY: "somebody"})
    assert [i.image_id for i in describe_recipe_images(region.aws, recipe="team")] == [ours]
    named = sorted(image.name for image in describe_recipe_images(region.aws, recipe=None))
    assert named == ["other-1", "team-1"]


def test_tags_go_onto_image_and_snapshots_in_one_call(region: Region) -> None:
    image_id = made(region)
    (image,) = describe_recipe_images(region.aws, recipe="team")
    tag_resources(region.aws, ids=[image_id, *image.snapshot_ids], tags={tags.STATUS: tags.STABLE})
    (image,) = describe_recipe_images(region.aws, recipe="team")
    assert image.tags == {**TEAM, tags.STATUS: tags.STABLE}
    (snapshot,) = region.aws.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]} == dict(image.tags)


def test_who_uses_an_image(region: Region) -> None:
    image_id, unused = made(region), made(region, name="team-2")
    for one in (image_id, unused):
        finished(region, one)
    using = region.launched(image=image_id, name="course", member="ana")["InstanceId"]
    nobodys = region.launched(image=image_id)["InstanceId"]
    template(region.served, ImageId=image_id)
    users = describe_image_users(region.aws, image_ids=[image_id, unused])
    expected = {f"{using} (course/ana)", nobodys, "launch template fleet-course"}
    assert {key: set(found) for key, found in users.items()} == {image_id: expected}
    region.aws.ec2.terminate_instances(InstanceIds=[using, nobodys])
    left = describe_image_users(region.aws, image_ids=[image_id])
    assert left == {image_id: ("launch template fleet-course",)}
    assert describe_image_users(region.aws, image_ids=[]) == {}


def test_an_image_outlives_the_one_that_its_instance_was_launched_from(region: Region) -> None:
    first = made(region)
    finished(region, first)
    instance_id = region.launched(image=first)["InstanceId"]
    deregister_image(region.aws, image_id=first)
    request: Any = {"instance_id": instance_id, "description": "", "tags": TEAM}
    second = create_image(region.aws, name="team-2", **request)
    assert finished(region, second).state == "available"


def test_a_stopped_instance_keeps_its_disk_and_makes_an_image(region: Region) -> None:
    instance_id = region.launched()["InstanceId"]
    stop_instances(region.aws, instance_ids=[instance_id])
    stop_instances(region.aws, instance_ids=[instance_id])
    eventually(
        lambda: region.instance(instance_id)["State"]["Name"], lambda state: state == "stopped"
    )
    image_id = create_image(
        region.aws, instance_id=instance_id, name="team-1", description="", tags=TEAM
    )
    assert finished(region, image_id).state == "available"
    assert region.served.driver.of(instance_id) == ["boot", "power_off", "keep"]


def test_a_spot_instance_cannot_be_stopped(region: Region) -> None:
    instance_id = region.aws.ec2.run_instances(
        ImageId="resolve:ssm:/aws/service/deeplearning/ami/x86_64/"
        "oss-nvidia-driver-gpu-pytorch-2.7-ubuntu-22.04/latest/ami-id",
        InstanceType="g5.xlarge",
        MinCount=1,
        MaxCount=1,
        InstanceMarketOptions={"MarketType": "spot"},
    )["Instances"][0]["InstanceId"]
    with pytest.raises(AwsError, match="one-time Spot Instance request"):
        stop_instances(region.aws, instance_ids=[instance_id])
