"""Images and snapshots of the account's own: removed."""

from __future__ import annotations

from fleet.aws.clients import Aws
from fleet.aws.effects import effect

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
