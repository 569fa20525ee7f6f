"""Volumes of a fleet: what a teardown must not leave behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import tag_list


@effect("ec2:DeleteVolume")
def delete_volume(aws: Aws, *, volume_id: str) -> None:
    """Delete a volume; one that is gone already is fine."""
    try:
        aws.ec2.delete_volume(VolumeId=volume_id)
    except aws.ec2.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidVolume.NotFound":
            raise


@effect("ec2:CreateTags")
def mark_kept(aws: Aws, *, volume_ids: Sequence[str], tags: Mapping[str, str]) -> None:
    """Tag volumes as kept on purpose."""
    aws.ec2.create_tags(Resources=list(volume_ids), Tags=tag_list(tags))


@effect("ec2:ModifyInstanceAttribute")
def keep_volumes(aws: Aws, *, instance_id: str, devices: Sequence[str]) -> None:
    """Let an instance's volumes outlive it."""
    aws.ec2.modify_instance_attribute(
        InstanceId=instance_id,
        BlockDeviceMappings=[
            {"DeviceName": device, "Ebs": {"DeleteOnTermination": False}} for device in devices
        ],
    )
