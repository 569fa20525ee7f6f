"""Instance types and where each is offered: moto's capture of EC2 plus the types of gpu_types.csv
that it lacks.

Takes the two tables, gives plain lookups by type, Region and Availability Zone. Knows no
instances and no capacity.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPE_OFFERINGS, INSTANCE_TYPES
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from fleet.sandbox.cloud import prices
from fleet.sandbox.cloud.data import AcceleratedType, accelerated_types
from fleet.sandbox.driver import Gpu

_STANDARD = ("L-1216C47A", "L-34B43A08")
_FAMILY_QUOTAS = {
    "g": ("L-DB2E81BA", "L-3819A6DF"),
    "gr": ("L-DB2E81BA", "L-3819A6DF"),
    "vt": ("L-DB2E81BA", "L-3819A6DF"),
    "p": ("L-417A185B", "L-7212CCBC"),
    "dl": ("L-6E869C2A", "L-85EED4F7"),
    "inf": ("L-1945791B", "L-B5D1601B"),
    "trn": ("L-2C3B7624", "L-6B0D517C"),
    "f": ("L-74FC7D96", "L-88CF9481"),
    "x": ("L-7295265B", "L-E3A00192"),
    "hpc": ("L-F7808C92", "L-F7808C92"),
    "u": ("L-43DA4232", "L-43DA4232"),
}
_SMI_NAMES = {
    "K520": "GRID K520", "GRID K520": "GRID K520", "K80": "Tesla K80", "M60": "Tesla M60",
    "V100": "Tesla V100-SXM2-16GB", "T4": "Tesla T4", "T4g": "NVIDIA T4G", "A10G": "NVIDIA A10G", "L4": "NVIDIA L4",
    "L40S": "NVIDIA L40S", "A100": "NVIDIA A100-SXM4-40GB", "H100": "NVIDIA H100 80GB HBM3", "H200": "NVIDIA H200",
    "B200": "NVIDIA B200", "B300": "NVIDIA B300",
}  # fmt: skip
"""Names as `nvidia-smi -L` prints them; a model that is not here is printed as `NVIDIA MODEL`."""


@cache
def instance_types() -> dict[str, dict[str, Any]]:
    """Every known instance type in the shape of DescribeInstanceTypes."""
    known: dict[str, dict[str, Any]] = dict(INSTANCE_TYPES)
    for name, row in accelerated_types().items():
        if name not in known:
            known[name] = _described(row)
    return known


def instance_type(name: str) -> dict[str, Any] | None:
    """The description of one type, or None."""
    return instance_types().get(name)


def vcpus(name: str) -> int:
    """Default vCPUs of a known type."""
    count: int = instance_types()[name]["VCpuInfo"]["DefaultVCpus"]
    return count


def architectures(name: str) -> list[str]:
    """Architectures of a known type, such as `x86_64`."""
    supported: list[str] = instance_types()[name]["ProcessorInfo"]["SupportedArchitectures"]
    return supported


def quota_code(name: str, *, spot: bool) -> str:
    """The Service Quotas code that counts this type's vCPUs."""
    row = accelerated_types().get(name)
    if row is not None and row.quota_on_demand and row.quota_spot:
        return row.quota_spot if spot else row.quota_on_demand
    return _FAMILY_QUOTAS.get(_letters(name), _STANDARD)[1 if spot else 0]


def _letters(name: str) -> str:
    length = next((i for i, char in enumerate(name) if not char.isalpha()), len(name))
    return name[:length]


def gpus(name: str) -> tuple[Gpu, ...]:
    """What nvidia-smi would list on the type: one entry per GPU, or the slice of one on g6f and
    gr6f.
    """
    row = accelerated_types().get(name)
    if row is None or row.manufacturer != "NVIDIA":
        return ()
    smi = (
        "Tesla V100-SXM2-32GB"
        if name.startswith("p3dn")
        else _SMI_NAMES.get(row.model, f"NVIDIA {row.model}")
    )
    if name.startswith("p4de"):
        smi = "NVIDIA A100-SXM4-80GB"
    count = row.gpu_count or row.logical_gpu_count or 1
    return tuple(Gpu(name=smi, memory_mib=row.gpu_memory_mib) for _ in range(count))


@cache
def zones_offering(region: str, name: str) -> tuple[str, ...]:
    """The Availability Zones of the Region that offer the type, in order of their names."""
    if name not in instance_types():
        return ()
    captured = _captured_offerings(region).get(name)
    if captured is not None:
        return captured
    return _invented_offerings(region, name) if name not in INSTANCE_TYPES else ()


@cache
def _captured_offerings(region: str) -> dict[str, tuple[str, ...]]:
    by_type: dict[str, list[str]] = {}
    for offering in INSTANCE_TYPE_OFFERINGS["availability-zone"].get(region, []):
        by_type.setdefault(offering["InstanceType"], []).append(offering["Location"])
    return {name: tuple(sorted(zones)) for name, zones in by_type.items()}


def _invented_offerings(region: str, name: str) -> tuple[str, ...]:
    """Types that moto has not captured: P types in two zones, others in all but one, chosen by the
    type's name.
    """
    zones = sorted({zone for zones in _captured_offerings(region).values() for zone in zones})
    if len(zones) < 2:
        return tuple(zones)
    start = hashlib.sha256(f"{region}/{name.split('.', maxsplit=1)[0]}".encode()).digest()[0] % len(
        zones
    )
    turned = zones[start:] + zones[:start]
    return tuple(sorted(turned[:2] if name.startswith("p") else turned[:-1]))


def _described(row: AcceleratedType) -> dict[str, Any]:
    """A description of a type that moto lacks; what the table does not say follows the type's
    generation.
    """
    described: dict[str, Any] = {
        "AutoRecoverySupported": False,
        "BareMetal": row.name.endswith(".metal"),
        "BurstablePerformanceSupported": False,
        "CurrentGeneration": row.family not in {"g2", "p2", "p3", "g3", "g3s"},
        "DedicatedHostsSupported": True,
        "EbsInfo": {
            "EbsOptimizedSupport": "default",
            "EncryptionSupport": "supported",
            "NvmeSupport": "required",
        },
        "FreeTierEligible": False,
        "HibernationSupported": False,
        "Hypervisor": "xen" if row.family in {"g2", "p2", "p3", "g3", "g3s"} else "nitro",
        "InstanceStorageSupported": False,
        "InstanceType": row.name,
        "MemoryInfo": {"SizeInMiB": row.memory_mib},
        "NetworkInfo": {
            "EfaSupported": False,
            "EnaSupport": "required",
            "EncryptionInTransitSupported": False,
            "Ipv4AddressesPerInterface": 15,
            "Ipv6AddressesPerInterface": 15,
            "Ipv6Supported": True,
            "MaximumNetworkCards": 1,
            "MaximumNetworkInterfaces": 4,
            "NetworkPerformance": "Up to 10 Gigabit",
        },
        "PlacementGroupInfo": {"SupportedStrategies": ["cluster", "partition", "spread"]},
        "ProcessorInfo": {
            "SupportedArchitectures": [row.architecture or "x86_64"],
            "SustainedClockSpeedInGhz": 2.7,
        },
        "SupportedBootModes": ["legacy-bios", "uefi"],
        "SupportedRootDeviceTypes": ["ebs"],
        "SupportedUsageClasses": list(row.usage_classes),
        "SupportedVirtualizationTypes": ["hvm"],
        "VCpuInfo": {
            "DefaultCores": max(row.vcpus // 2, 1),
            "DefaultThreadsPerCore": 2,
            "DefaultVCpus": row.vcpus,
        },
    }
    if row.accelerator == "gpu":
        described["GpuInfo"] = _gpu_info(row)
    return described


def _gpu_info(row: AcceleratedType) -> dict[str, Any]:
    gpu = {
        "Count": row.gpu_count,
        "GpuPartitionSize": row.partition_size,
        "LogicalGpuCount": row.logical_gpu_count,
        "Manufacturer": row.manufacturer,
        "MemoryInfo": {"SizeInMiB": row.gpu_memory_mib},
        "Name": row.model,
    }
    return {"Gpus": [gpu], "TotalGpuMemoryInMiB": row.total_gpu_memory_mib}


def resource_type(resource_id: str) -> str:
    """The resource type that tags show for an id."""
    kind: str = EC2_PREFIX_TO_RESOURCE.get(
        get_prefix(resource_id), _OTHER_TYPES.get(resource_id.partition("-")[0], "")
    )
    return kind


_OTHER_TYPES = {"fleet": "fleet", "key": "key-pair", "sir": "spot-instances-request"}


def on_demand_price(name: str) -> float | None:
    """USD per hour of a known type, or None where the tables do not say."""
    return prices.on_demand_price(name, vcpus(name))
