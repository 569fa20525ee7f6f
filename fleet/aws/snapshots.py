"""Images and snapshots of the account's own: removed; and what is there of baked images' snapshots."""

from __future__ import annotations

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import read_tags
from fleet.plan import tags
from fleet.plan.facts.images import SnapshotFact

_NO_IMAGE = frozenset({"InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"})


@effect("ec2:DeregisterImage")
def deregister_image(aws: Aws, *, image_id: str) -> None:
    """Deregister an image; one that is gone already is fine. Its snapshots stay."""
    try:
        aws.ec2.deregister_image(ImageId=image_id)
    except aws.ec2.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _NO_IMAGE:
            raise


@effect("ec2:DeleteSnapshot")
def delete_snapshot(aws: Aws, *, snapshot_id: str) -> None:
    """Delete a snapshot; one that is gone already is fine. Raises InUseError while an image needs it."""
    try:
        aws.ec2.delete_snapshot(SnapshotId=snapshot_id)
    except aws.ec2.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidSnapshot.NotFound":
            raise


@effect("ec2:DescribeSnapshots")
def describe_recipe_snapshots(aws: Aws, *, recipe: str | None) -> tuple[SnapshotFact, ...]:
    """Describe the snapshots of images that were baked from a recipe, or from any; of removed images too."""
    by_recipe = f"tag:{tags.RECIPE}" if recipe is not None else "tag-key"
    pages = aws.ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"],
        Filters=[
            {"Name": by_recipe, "Values": [recipe or tags.RECIPE]},
            {"Name": f"tag:{tags.MANAGED_BY}", "Values": [tags.MAKER]},
        ],
        PaginationConfig={"PageSize": 1000},
    )
    return tuple(
        SnapshotFact(
            snapshot_id=one["SnapshotId"],
            recipe=read_tags(one.get("Tags")).get(tags.RECIPE, ""),
            size_gib=one["VolumeSize"],
            state=one["State"],
        )
        for page in pages
        for one in page["Snapshots"]
    )
