"""AMIs: describes candidates. Takes owners and names or an id; gives facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import read_tags
from fleet.errors import NotFoundError
from fleet.plan.facts.images import ImageFact

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import ImageTypeDef


@effect("ec2:DescribeImages")
def describe_published_images(
    aws: Aws, *, owner: str, names: Sequence[str], include_deprecated: bool = False
) -> tuple[ImageFact, ...]:
    """Describe available images of one owner by name patterns. Always by owner: names have look-alikes."""
    pages = aws.ec2.get_paginator("describe_images").paginate(
        Owners=[owner],
        IncludeDeprecated=include_deprecated,
        Filters=[
            {"Name": "name", "Values": list(names)},
            {"Name": "state", "Values": ["available"]},
        ],
    )
    return tuple(image_fact(image) for page in pages for image in page["Images"])


@effect("ec2:DescribeImages")
def describe_image(aws: Aws, *, image_id: str) -> tuple[ImageFact, ...]:
    """Describe one image by id, deprecated or not; an empty tuple where it is not visible."""
    try:
        answer = aws.ec2.describe_images(ImageIds=[image_id])
    except aws.ec2.exceptions.ClientError as error:
        if str(error.response.get("Error", {}).get("Code", "")).startswith("InvalidAMIID"):
            return ()
        raise
    return tuple(image_fact(image) for image in answer["Images"])


@effect("ec2:DescribeImages")
def describe_own_images(aws: Aws, *, names: Sequence[str]) -> tuple[ImageFact, ...]:
    """Describe available images of this account by name patterns, deprecated ones too, which EC2 shows their owner.

    What others share is left out: anybody can share an image of any name with this account.
    """
    pages = aws.ec2.get_paginator("describe_images").paginate(
        Owners=["self"],
        IncludeDeprecated=True,
        Filters=[
            {"Name": "name", "Values": list(names)},
            {"Name": "state", "Values": ["available"]},
        ],
    )
    return tuple(image_fact(image) for page in pages for image in page["Images"])


def image_fact(image: ImageTypeDef) -> ImageFact:
    """Read one image of an answer."""
    volumes = [mapping.get("Ebs", {}) for mapping in image.get("BlockDeviceMappings", [])]
    return ImageFact(
        image_id=image["ImageId"],
        name=image.get("Name", ""),
        owner_id=image["OwnerId"],
        architecture=image["Architecture"],
        created_at=_time(image["CreationDate"]),
        root_device=_root_device(image),
        root_size_gib=_root_size(image),
        state=image["State"],
        description=image.get("Description", ""),
        deprecated_at=_time(image["DeprecationTime"]) if image.get("DeprecationTime") else None,
        tags=read_tags(image.get("Tags")),
        snapshot_ids=tuple(v["SnapshotId"] for v in volumes if "SnapshotId" in v),
        encrypted=any(volume.get("Encrypted", False) for volume in volumes),
        state_reason=image.get("StateReason", {}).get("Message", ""),
    )


def _root_device(image: ImageTypeDef) -> str:
    name = image.get("RootDeviceName")
    if not name:
        raise NotFoundError(
            f"image {image['ImageId']} states no root device", remedy="choose an EBS-backed image"
        )
    return name


def _root_size(image: ImageTypeDef) -> int:
    for mapping in image.get("BlockDeviceMappings", []):
        if mapping.get("DeviceName") == image.get("RootDeviceName"):
            return mapping.get("Ebs", {}).get("VolumeSize", 0)
    return 0


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
