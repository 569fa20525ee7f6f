"""Requests that the tests share: an image, a launch template as the product makes it, a fleet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.cloud.recording import Served

PUBLIC_KEY = (
    b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHtbpBxCkJ0bSPNmvvPl1hkZJLjIVrTQbYPFk8zmGnz1 fleet@test"
)
X86_IMAGE = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.12 (Ubuntu 24.04) 20260725"
ARM_IMAGE = "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.12 (Ubuntu 24.04) 20260724"
TAGS = [{"Key": "fleet:name", "Value": "course"}]


def refused(code: str, call: Callable[..., Any], **parameters: Any) -> str:
    """The message of the error with `code` that the call must end with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    assert caught.value.response["Error"]["Code"] == code, caught.value
    return caught.value.response["Error"]["Message"]


def image_id(served: Served, name: str = X86_IMAGE) -> str:
    images = served.ec2.describe_images(
        Owners=["amazon"], Filters=[{"Name": "name", "Values": [name]}]
    )["Images"]
    return images[0]["ImageId"]


def subnets(served: Served) -> dict[str, str]:
    """Default subnets by Availability Zone."""
    found = served.ec2.describe_subnets()["Subnets"]
    return {subnet["AvailabilityZone"]: subnet["SubnetId"] for subnet in found}


def template(served: Served, name: str = "fleet-course", **changes: Any) -> str:
    """The id of a launch template with everything in it; a change to None leaves the key out."""
    ec2 = served.ec2
    if not ec2.describe_key_pairs()["KeyPairs"]:
        ec2.import_key_pair(KeyName="course", PublicKeyMaterial=PUBLIC_KEY)
    ebs = {
        "VolumeSize": 200,
        "VolumeType": "gp3",
        "Iops": 4000,
        "Throughput": 500,
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    data: dict[str, Any] = {
        "ImageId": image_id(served),
        "KeyName": "course",
        "UserData": "I2Nsb3VkLWNvbmZpZwo=",
        "InstanceInitiatedShutdownBehavior": "terminate",
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": ebs}],
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": TAGS}
            for kind in ("instance", "volume", "network-interface")
        ],
        **changes,
    }
    given: Any = {key: value for key, value in data.items() if value is not None}
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=given)
    return made["LaunchTemplate"]["LaunchTemplateId"]


def overrides(served: Served, types: list[str], zones: str) -> list[dict[str, Any]]:
    """Types x zones of us-east-1 by letter, with rising priority."""
    by_zone = subnets(served)
    pairs = [(name, zone) for name in types for zone in zones]
    return [
        {"InstanceType": name, "SubnetId": by_zone[f"us-east-1{zone}"], "Priority": float(number)}
        for number, (name, zone) in enumerate(pairs)
    ]


def create_fleet(
    served: Served,
    template_id: str,
    overrides: list[dict[str, Any]],
    count: int,
    market: str = "on-demand",
    **more: Any,
) -> Any:
    """The answer to a CreateFleet of type instant."""
    config = {
        "LaunchTemplateSpecification": {"LaunchTemplateId": template_id, "Version": "$Latest"},
        "Overrides": overrides,
    }
    request: dict[str, Any] = {
        "Type": "instant",
        "LaunchTemplateConfigs": [config],
        "TargetCapacitySpecification": {
            "TotalTargetCapacity": count,
            "DefaultTargetCapacityType": market,
        },
        "OnDemandOptions": {"AllocationStrategy": "prioritized"},
        "SpotOptions": {"AllocationStrategy": "price-capacity-optimized"},
        **more,
    }
    return served.ec2.create_fleet(**request)


def instances(served: Served, **parameters: Any) -> list[Any]:
    """All instances, in the order of their launch."""
    pages = served.ec2.get_paginator("describe_instances").paginate(**parameters)
    return [i for page in pages for r in page["Reservations"] for i in r["Instances"]]


def launched(answer: Any) -> list[str]:
    """The ids in a CreateFleet answer."""
    return [i for entry in answer["Instances"] for i in entry["InstanceIds"]]


def states(served: Served) -> set[str]:
    """The states of all instances."""
    return {instance["State"]["Name"] for instance in instances(served)}
