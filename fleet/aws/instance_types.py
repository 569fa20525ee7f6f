"""Instance types and where they are offered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.facts.hardware import InstanceTypeFact

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import GpuDeviceInfoTypeDef, InstanceTypeInfoTypeDef


@effect("ec2:DescribeInstanceTypes")
def describe_instance_types(aws: Aws, *, names: Sequence[str]) -> Mapping[str, InstanceTypeFact]:
    """Describe instance types; one that does not exist in the region is left out.

    Asks by filter, not by name: by name EC2 refuses the whole call for one unknown type.
    """
    pages = aws.ec2.get_paginator("describe_instance_types").paginate(
        Filters=[{"Name": "instance-type", "Values": list(names)}]
    )
    facts = (_fact(info) for page in pages for info in page["InstanceTypes"])
    return {fact.name: fact for fact in facts}


@effect("ec2:DescribeInstanceTypeOfferings")
def describe_offerings(aws: Aws, *, names: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Give the Availability Zones that offer each type."""
    pages = aws.ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": list(names)}],
    )
    zones: defaultdict[str, set[str]] = defaultdict(set)
    for page in pages:
        for offering in page["InstanceTypeOfferings"]:
            zones[offering["InstanceType"]].add(offering["Location"])
    return {name: frozenset(found) for name, found in zones.items()}


def _fact(info: InstanceTypeInfoTypeDef) -> InstanceTypeFact:
    gpus = info.get("GpuInfo", {}).get("Gpus", [])
    chips = info.get("InferenceAcceleratorInfo", {}).get("Accelerators", [])
    makers = [part.get("Manufacturer", "") for part in (*gpus, *chips)]
    return InstanceTypeFact(
        name=info["InstanceType"],
        vcpus=info["VCpuInfo"]["DefaultVCpus"],
        memory_mib=info["MemoryInfo"]["SizeInMiB"],
        architectures=tuple(info["ProcessorInfo"]["SupportedArchitectures"]),
        # g6f and gr6f report Count 0 for their fraction of a GPU, of which nvidia-smi shows one.
        gpus=sum(max(gpu.get("Count", 0), 1) for gpu in gpus),
        gpu_name=gpus[0].get("Name", "") if gpus else "",
        manufacturer=makers[0] if makers else "",
        gpu_memory_mib=gpus[0].get("MemoryInfo", {}).get("SizeInMiB", 0) if gpus else 0,
        gpu_share=_share(gpus),
        network=info.get("NetworkInfo", {}).get("NetworkPerformance", ""),
    )


def _share(gpus: Sequence[GpuDeviceInfoTypeDef]) -> Decimal:
    """Give the part of a GPU that there is, where EC2 counts none; a whole one everywhere else."""
    if not gpus or gpus[0].get("Count", 0):
        return Decimal(1)
    return Decimal(str(gpus[0].get("GpuPartitionSize", 1)))
