"""One image: moto's model with a size, a life in states, encryption, and a snapshot that shows its progress."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot

PUBLIC_IMAGE_LIFE = timedelta(days=730)
"""EC2 deprecates public images two years after their creation."""

FAILED = ("Server.InternalError", "Server.InternalError: The snapshot of the image failed")
_HALF_OF_UNKNOWN = 4.0
"""Seconds in which a copy of unknown length shows half of the progress that it can show."""
_UNKNOWN_UP_TO, _PENDING_UP_TO = 80, 99


@dataclass(frozen=True)
class Making:
    """How an image comes about. `seconds` pass once its contents are kept, and `late` more unless that is cleared.

    `kept`: its contents are there from the start, as those of a copy are. `fails`: it ends `failed`.
    """

    seconds: float = 0.0
    late: float = 0.0
    cleared: threading.Event = field(default_factory=threading.Event)
    kept: bool = True
    fails: bool = False


@dataclass(frozen=True)
class Encryption:
    """Whether an image's snapshot is encrypted, and with which key of the customer's; None is EBS's own."""

    encrypted: bool = False
    kms_key: str | None = None


class ImageSnapshot(Snapshot):
    """The snapshot of an image's root volume; it is as far as the image is."""

    image: SandboxImage

    @property
    def status(self) -> str:
        """EC2's `State`."""
        return {"available": "completed", "failed": "error"}.get(self.image.state, "pending")

    @status.setter
    def status(self, _: str) -> None:
        """moto sets it; the image decides."""

    @property
    def progress(self) -> str:
        """As DescribeSnapshots shows it."""
        return f"{self.image.percent}%"


class SandboxImage(Ami):
    """An image with a size, a date of deprecation and the user that it logs in.

    `kept_disk`: the disk that its instances begin with, as the driver keeps it; empty for an image of AWS's.
    """

    def __init__(
        self,
        backend: Any,
        ami_id: str,
        *,
        size: int,
        login_user: str,
        deprecates: bool = False,
        making: Making | None = None,
        encryption: Encryption | None = None,
        kept_disk: str = "",
        **known: Any,
    ) -> None:
        self.making = making or Making()
        self.encryption = encryption or Encryption()
        self._began: datetime = backend.state.now()
        self._kept_at = self._began if self.making.kept else None
        super().__init__(
            backend,
            ami_id,
            virtualization_type="hvm",
            hypervisor="xen",
            root_device_type="ebs",
            region_name=f"{backend.region_name}a",
            boot_mode="uefi-preferred",
            **known,
        )
        self.size = size
        self.login_user = login_user
        self.kept_disk = kept_disk
        self.ena_support = True
        self.imds_support = "v2.0"
        self.platform_details = "Linux/UNIX"
        self.usage_operation = "RunInstances"
        self.deprecates_at = self._created() + PUBLIC_IMAGE_LIFE if deprecates else None
        self.ebs_snapshot = self._own_snapshot()

    def _own_snapshot(self) -> Snapshot:
        made = self.ebs_snapshot
        made.volume.size = self.size
        key = self.encryption.kms_key
        snapshot = ImageSnapshot(
            self.ec2_backend,
            made.id,
            made.volume,
            made.description,
            encrypted=self.encryption.encrypted,
            kms_key_id=key,
            owner_id=made.owner_id,
            from_ami=self.id,
        )
        snapshot.image = self
        snapshot.start_time = made.start_time
        self.ec2_backend.snapshots[made.id] = snapshot
        return snapshot

    @property
    def state(self) -> str:
        """`pending` until its contents are kept and its time is over, then `available` or `failed`."""
        if self._given_state != "available":
            return self._given_state
        if self._kept_at is None or self.ec2_backend.state.now() < self._whole_at(self._kept_at):
            return "pending"
        return "failed" if self.making.fails else "available"

    @state.setter
    def state(self, name: str) -> None:
        self._given_state = name

    def _whole_at(self, kept_at: datetime) -> datetime:
        late = 0.0 if self.making.cleared.is_set() else self.making.late
        return kept_at + timedelta(seconds=self.making.seconds + late)

    def is_kept(self) -> None:
        """Its contents are kept: it is `available` a little later."""
        self._kept_at = self.ec2_backend.state.now()

    @property
    def state_reason(self) -> dict[str, str] | None:
        """Why it is `failed`, as DescribeImages shows it."""
        if self.state != "failed":
            return None
        return dict(zip(("Code", "Message"), FAILED, strict=True))

    @property
    def percent(self) -> int:
        """How far its snapshot is: it never goes back."""
        if self.state == "available":
            return 100
        now: datetime = self.ec2_backend.state.now()
        until = self._kept_at or now
        kept = 0.0
        if not self.making.kept:
            seconds = (until - self._began).total_seconds()
            kept = _UNKNOWN_UP_TO * seconds / (seconds + _HALF_OF_UNKNOWN)
        if self._kept_at is None:
            return int(kept)
        whole = (self._whole_at(self._kept_at) - self._kept_at).total_seconds()
        share = min((now - self._kept_at).total_seconds() / whole, 1.0) if whole else 1.0
        return int(kept + (_PENDING_UP_TO - kept) * share)

    @property
    def deprecation_time(self) -> str | None:
        """As DescribeImages shows it."""
        return (
            None
            if self.deprecates_at is None
            else self.deprecates_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        )

    @property
    def snapshot_id(self) -> str:
        """The snapshot of the root volume."""
        snapshot_id: str = self.ebs_snapshot.id
        return snapshot_id

    def _created(self) -> datetime:
        created: datetime = self.creation_date
        return created if created.tzinfo else created.replace(tzinfo=UTC)

    def deprecated(self, now: datetime) -> bool:
        """Whether DescribeImages leaves the image out unless it is asked for."""
        return self.deprecates_at is not None and self.deprecates_at <= now

    @property
    def block_device_mappings(self) -> list[dict[str, Any]]:
        """The root volume; every DLAMI since 2021 is gp3 or gp2 with one EBS root."""
        ebs = {
            "SnapshotId": self.ebs_snapshot.id,
            "VolumeSize": self.size,
            "DeleteOnTermination": True,
            "VolumeType": "gp3",
            "Encrypted": self.encryption.encrypted,
        }
        if self.encryption.kms_key:
            ebs["KmsKeyId"] = self.encryption.kms_key
        return [{"DeviceName": self.root_device_name, "Ebs": ebs}]

    def get_filter_value(self, filter_name: str, method_name: str | None = None) -> Any:
        """Filters that moto lacks; the creation date as text, so that `2026*` matches."""
        ours = {
            "creation-date": self._created().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "ena-support": self.ena_support,
            "platform-details": self.platform_details,
            "image-type": self.image_type,
            "root-device-type": self.root_device_type,
            "description": self.description,
            "usage-operation": self.usage_operation,
        }
        if filter_name in ours:
            return ours[filter_name]
        return super().get_filter_value(filter_name, method_name)
