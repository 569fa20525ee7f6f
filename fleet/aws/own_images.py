"""Images of the account's own: made from an instance, copied, shared, deprecated, and who uses them.

They are removed in `snapshots`; how they are found by name is in `images`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.images import image_fact
from fleet.aws.requests import read_tags, tag_list, tag_specification
from fleet.plan import tags as tag_names
from fleet.plan.facts.images import ImageFact, ImageProgress

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        CopyImageRequestTypeDef,
        FilterTypeDef,
        LaunchPermissionModificationsTypeDef,
        LaunchPermissionTypeDef,
        TagSpecificationTypeDef,
    )


@effect("ec2:DescribeImages")
def describe_recipe_images(aws: Aws, *, recipe: str | None) -> tuple[ImageFact, ...]:
    """Describe the account's images that were baked from a recipe, or from any; in every state, deprecated ones too."""
    by_recipe: FilterTypeDef = (
        {"Name": "tag-key", "Values": [tag_names.RECIPE]}
        if recipe is None
        else {"Name": f"tag:{tag_names.RECIPE}", "Values": [recipe]}
    )
    ours: FilterTypeDef = {"Name": f"tag:{tag_names.MANAGED_BY}", "Values": [tag_names.MAKER]}
    pages = aws.ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, Filters=[by_recipe, ours]
    )
    return tuple(image_fact(image) for page in pages for image in page["Images"])


@effect("ec2:CreateImage", "ec2:CreateTags")
def create_image(
    aws: Aws,
    *,
    instance_id: str,
    name: str,
    description: str,
    tags: Mapping[str, str],
    no_reboot: bool = False,
) -> str:
    """Make an image of an instance; give its id. The image and its snapshots are tagged in this call.

    The call takes no ClientToken: the name, which is the account's only one in the region, is what keeps a
    repetition from making two. Raises NameTakenError where there is an image of that name.
    """
    answer = aws.ec2.create_image(
        InstanceId=instance_id,
        Name=name,
        Description=description,
        NoReboot=no_reboot,
        TagSpecifications=_on_both(tags),
    )
    return answer["ImageId"]


@effect("ec2:DescribeImages", "ec2:DescribeSnapshots")
def describe_progress(aws: Aws, *, image_id: str) -> ImageProgress:
    """Describe how far an image is; `state` is empty while the image is not visible."""
    pages = aws.ec2.get_paginator("describe_images").paginate(
        Owners=["self"],
        IncludeDeprecated=True,
        Filters=[{"Name": "image-id", "Values": [image_id]}],
    )
    found = next((image_fact(image) for page in pages for image in page["Images"]), None)
    if found is None:
        return ImageProgress("")
    percent = 100 if found.state == "available" else _percent(aws, found.snapshot_ids)
    return ImageProgress(found.state, percent, found.state_reason, found.snapshot_ids)


def _percent(aws: Aws, snapshot_ids: Sequence[str]) -> int | None:
    """Give the progress of snapshots, each by its size; None while EC2 names none, or says nothing."""
    if not snapshot_ids:
        return None
    answer = aws.ec2.describe_snapshots(
        OwnerIds=["self"], Filters=[{"Name": "snapshot-id", "Values": list(snapshot_ids)}]
    )
    known = [
        (int(text), one["VolumeSize"])
        for one in answer["Snapshots"]
        if (text := one.get("Progress", "").rstrip("%")).isdigit()
    ]
    size = sum(size for _, size in known)
    return sum(percent * size for percent, size in known) // size if size else None


@effect(
    "ec2:CopyImage",
    "ec2:CreateTags",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
def copy_image(
    aws: Aws,
    *,
    source: str,
    source_region: str,
    name: str,
    description: str,
    tags: Mapping[str, str],
    encrypted: bool,
    kms_key: str | None,
    client_token: str,
) -> str:
    """Copy an image into the region of `aws`; give the copy's id. Raises NameTakenError.

    `kms_key` is one of that region and needs `encrypted`; None takes EBS's own key where there is encryption.
    """
    request: CopyImageRequestTypeDef = {
        "SourceImageId": source,
        "SourceRegion": source_region,
        "Name": name,
        "Description": description,
        "TagSpecifications": _on_both(tags),
        "ClientToken": client_token,
    }
    if encrypted:
        request["Encrypted"] = True
    if kms_key is not None:
        request["KmsKeyId"] = kms_key
    return aws.ec2.copy_image(**request)["ImageId"]


def _on_both(tags: Mapping[str, str]) -> list[TagSpecificationTypeDef]:
    return [tag_specification("image", tags), tag_specification("snapshot", tags)]


@effect("ec2:CreateTags")
def tag_resources(aws: Aws, *, ids: Sequence[str], tags: Mapping[str, str]) -> None:
    """Put tags on an image and its snapshots, in one call."""
    aws.ec2.create_tags(Resources=list(ids), Tags=tag_list(tags))


@effect("ec2:ModifyImageAttribute")
def share_image(
    aws: Aws, *, image_id: str, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> None:
    """Let accounts launch an image, or no longer; one that may already, or may not, is fine."""
    change: LaunchPermissionModificationsTypeDef = {}
    if add:
        change["Add"] = _accounts(add)
    if remove:
        change["Remove"] = _accounts(remove)
    aws.ec2.modify_image_attribute(ImageId=image_id, LaunchPermission=change)


def _accounts(ids: Sequence[str]) -> list[LaunchPermissionTypeDef]:
    return [{"UserId": account} for account in ids]


@effect("ec2:DescribeImageAttribute")
def describe_sharing(aws: Aws, *, image_id: str) -> tuple[str, ...]:
    """Give the accounts that an image is shared with; `all` for a public one."""
    answer = aws.ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    given = answer.get("LaunchPermissions", [])
    return tuple(sorted(one.get("UserId") or one.get("Group", "") for one in given))


@effect("ec2:EnableImageDeprecation", "ec2:DisableImageDeprecation")
def deprecate_image(aws: Aws, *, image_id: str, at: datetime | None) -> None:
    """Say from when on an image is old, or that it is not; EC2 rounds to the minute. It can be launched still."""
    if at is None:
        aws.ec2.disable_image_deprecation(ImageId=image_id)
    else:
        aws.ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=at)


_USING = ["pending", "running", "stopping", "stopped"]


@effect("ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions")
def describe_image_users(aws: Aws, *, image_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
    """Describe who uses images: instances that live, and launch templates by their latest or default version.

    By image id, each an instance's id with its fleet and member, or `launch template NAME`; an image that nobody
    uses is left out.
    """
    users: dict[str, set[str]] = {}
    if image_ids:
        for image_id, user in (*_instances_of(aws, image_ids), *_templates_of(aws)):
            if image_id in image_ids:
                users.setdefault(image_id, set()).add(user)
    return {image_id: tuple(sorted(found)) for image_id, found in users.items()}


def _instances_of(aws: Aws, image_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    pages = aws.ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": "image-id", "Values": list(image_ids)},
            {"Name": "instance-state-name", "Values": _USING},
        ]
    )
    for page in pages:
        for reservation in page["Reservations"]:
            for one in reservation["Instances"]:
                yield one["ImageId"], _named(one["InstanceId"], read_tags(one.get("Tags")))


def _named(instance_id: str, tags: Mapping[str, str]) -> str:
    named = "/".join(tags[key] for key in (tag_names.FLEET, tag_names.MEMBER) if key in tags)
    return f"{instance_id} ({named})" if named else instance_id


def _templates_of(aws: Aws) -> Iterator[tuple[str, str]]:
    pages = aws.ec2.get_paginator("describe_launch_template_versions").paginate(
        Versions=["$Latest", "$Default"]
    )
    for page in pages:
        for version in page["LaunchTemplateVersions"]:
            image_id = version["LaunchTemplateData"].get("ImageId", "")
            yield image_id, f"launch template {version['LaunchTemplateName']}"
