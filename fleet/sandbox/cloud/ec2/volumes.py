"""The block devices of a launch: the image's, with what the launch asks for over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleet.sandbox.cloud.ec2.faults import Ec2Error

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance

GP3_IOPS, GP3_THROUGHPUT = 3000, 125
GP3_MAX_IOPS, GP3_MAX_THROUGHPUT = 80_000, 2_000
GP3_MIBPS_PER_IOPS = 0.25


@dataclass(frozen=True)
class Device:
    """One EBS volume to make. Sizes are GiB, throughput is MiBps."""

    name: str
    size: int
    volume_type: str
    iops: int | None
    throughput: int | None
    encrypted: bool
    kms_key_id: str | None
    snapshot_id: str | None
    delete_on_termination: bool


def plan_devices(image: Any, asked: Any, *, encrypt_by_default: bool) -> list[Device]:
    """The devices that an instance gets; the root device is replaced, not doubled. Raises EC2's
    errors.
    """
    mappings: dict[str, dict[str, Any]] = {}
    for mapping in image.block_device_mappings:
        mappings[mapping["DeviceName"]] = {
            "VolumeType": "gp2",
            "DeleteOnTermination": True,
            **mapping["Ebs"],
        }
    for name, mapping in asked.items():
        if mapping.get("NoDevice") is not None:
            mappings.pop(name, None)
        elif mapping.get("Ebs") or "VirtualName" not in mapping:
            given = {
                key: value for key, value in (mapping.get("Ebs") or {}).items() if value is not None
            }
            default = {"DeleteOnTermination": True, "VolumeType": "gp2"}
            mappings[name] = {**default, **mappings.get(name, {}), **given}
    least = {m["DeviceName"]: m["Ebs"] for m in image.block_device_mappings}
    return [
        _device(name, ebs, least.get(name), encrypt=encrypt_by_default)
        for name, ebs in mappings.items()
    ]


def _device(
    name: str, ebs: dict[str, Any], snapshot: dict[str, Any] | None, *, encrypt: bool
) -> Device:
    if not ebs.get("VolumeSize"):
        raise Ec2Error(
            "MissingParameter", "The request must contain the parameter size or snapshotId"
        )
    size = int(ebs["VolumeSize"])
    if snapshot is not None and size < int(snapshot["VolumeSize"]):
        raise Ec2Error(
            "InvalidBlockDeviceMapping",
            f"Volume of size {size}GB is smaller than snapshot '{snapshot['SnapshotId']}', "
            f"expect size >= {snapshot['VolumeSize']}GB",
        )
    iops, throughput = _performance(ebs)
    return Device(
        name=name,
        size=size,
        volume_type=ebs["VolumeType"],
        iops=iops,
        throughput=throughput,
        encrypted=bool(ebs.get("Encrypted")) or encrypt,
        kms_key_id=ebs.get("KmsKeyId"),
        snapshot_id=ebs.get("SnapshotId"),
        delete_on_termination=ebs.get("DeleteOnTermination") is not False,
    )


def _performance(ebs: dict[str, Any]) -> tuple[int | None, int | None]:
    """IOPS and throughput, checked against the limits of gp3 (EC2 API reference of 2026-04)."""
    kind, iops, throughput = ebs["VolumeType"], ebs.get("Iops"), ebs.get("Throughput")
    if kind != "gp3":
        if throughput:
            raise Ec2Error(
                "InvalidParameterCombination",
                f"The parameter throughput is not supported for {kind} volumes.",
            )
        if iops and kind not in {"io1", "io2"}:
            raise Ec2Error(
                "InvalidParameterCombination",
                f"The parameter iops is not supported for {kind} volumes.",
            )
        return (int(iops) if iops else None), None
    iops, throughput = int(iops or GP3_IOPS), int(throughput or GP3_THROUGHPUT)
    if not GP3_IOPS <= iops <= GP3_MAX_IOPS:
        raise Ec2Error("InvalidParameterValue", f"Volume iops of {iops} is out of range for gp3.")
    if not GP3_THROUGHPUT <= throughput <= GP3_MAX_THROUGHPUT:
        raise Ec2Error(
            "InvalidParameterValue", f"Volume throughput of {throughput} is out of range for gp3."
        )
    if throughput > iops * GP3_MIBPS_PER_IOPS:
        ratio = throughput / iops
        raise Ec2Error(
            "InvalidParameterValue",
            f"Throughput (MiBps) to iops ratio of {ratio:.6f} is too high; maximum is 0.250000 "
            "MiBps per iops.",
        )
    return iops, throughput


def attach_devices(
    backend: Any, instance: SandboxInstance, devices: list[Device], tags: dict[str, str]
) -> None:
    """Make the volumes, attach and tag them."""
    for device in devices:
        volume = backend.create_volume(
            size=device.size,
            zone_name=instance.availability_zone,
            snapshot_id=device.snapshot_id,
            encrypted=device.encrypted,
            kms_key_id=device.kms_key_id,
            volume_type=device.volume_type,
            iops=device.iops,
            throughput=device.throughput,
        )
        volume.add_tags(tags)
        attachment = backend.attach_volume(
            volume.id, instance.id, device.name, device.delete_on_termination
        )
        attachment.delete_on_termination = device.delete_on_termination
