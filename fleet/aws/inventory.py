"""Everything that carries a fleet's tag, kind by kind. Takes a fleet's name, or None for all fleets of the region."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, read_tags
from fleet.plan import tags
from fleet.plan.teardown.resources import Kind, Resource

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        FilterTypeDef,
        ImageTypeDef,
        InstanceTypeDef,
        NetworkInterfaceTypeDef,
        PaginatorConfigTypeDef,
        VolumeTypeDef,
    )

_PAGE: PaginatorConfigTypeDef = {"PageSize": 1000}
_OPEN_REQUESTS = ["open", "active", "disabled"]


def _filters(fleet: str | None) -> list[FilterTypeDef]:
    return of_fleet(fleet) if fleet else [{"Name": "tag-key", "Values": [tags.FLEET]}]


@effect("ec2:DescribeInstances")
def instances(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe instances in every state, terminated ones while EC2 still shows them."""
    pages = aws.ec2.get_paginator("describe_instances").paginate(
        Filters=_filters(fleet), PaginationConfig=_PAGE
    )
    return tuple(
        _instance(one)
        for page in pages
        for reservation in page["Reservations"]
        for one in reservation["Instances"]
    )


def _instance(one: InstanceTypeDef) -> Resource:
    return Resource(
        "instances",
        one["InstanceId"],
        read_tags(one.get("Tags")),
        state=one["State"]["Name"],
        made_at=one["LaunchTime"],
        detail=one["InstanceType"],
        market="spot" if one.get("InstanceLifecycle") == "spot" else "on-demand",
        public_address=bool(one.get("PublicIpAddress")),
    )


@effect("ec2:DescribeSpotInstanceRequests")
def spot_requests(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe the region's Spot requests that are not over, of whatever fleet.

    Not filtered by tag: those that CreateFleet makes have none, and are known by their instance.
    """
    pages = aws.ec2.get_paginator("describe_spot_instance_requests").paginate(
        Filters=[{"Name": "state", "Values": _OPEN_REQUESTS}], PaginationConfig=_PAGE
    )
    found = (
        Resource(
            "spot_requests",
            one["SpotInstanceRequestId"],
            read_tags(one.get("Tags")),
            state=one["State"],
            made_at=one.get("CreateTime"),
            instance_id=one.get("InstanceId"),
        )
        for page in pages
        for one in page["SpotInstanceRequests"]
    )
    return tuple(one for one in found if not one.fleet or fleet in {None, one.fleet})


@effect("ec2:DescribeVolumes")
def volumes(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe volumes."""
    pages = aws.ec2.get_paginator("describe_volumes").paginate(
        Filters=_filters(fleet), PaginationConfig=_PAGE
    )
    return tuple(_volume(one) for page in pages for one in page["Volumes"])


def _volume(one: VolumeTypeDef) -> Resource:
    attachment = next(iter(one.get("Attachments", [])), None)
    return Resource(
        "volumes",
        one["VolumeId"],
        read_tags(one.get("Tags")),
        state=one["State"],
        made_at=one["CreateTime"],
        instance_id=attachment.get("InstanceId") if attachment else None,
        ends_with_instance=bool(attachment and attachment.get("DeleteOnTermination")),
        device=attachment.get("Device", "") if attachment else "",
        detail=one["VolumeType"],
        size_gib=one["Size"],
        iops=one.get("Iops"),
        throughput=one.get("Throughput"),
    )


@effect("ec2:DescribeNetworkInterfaces")
def network_interfaces(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe network interfaces; EC2 does not tell when one was made."""
    pages = aws.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=_filters(fleet), PaginationConfig=_PAGE
    )
    return tuple(_interface(one) for page in pages for one in page["NetworkInterfaces"])


def _interface(one: NetworkInterfaceTypeDef) -> Resource:
    attachment = one.get("Attachment")
    return Resource(
        "network_interfaces",
        one["NetworkInterfaceId"],
        read_tags(one.get("TagSet")),
        state=one["Status"],
        instance_id=attachment.get("InstanceId") if attachment else None,
        ends_with_instance=bool(attachment and attachment.get("DeleteOnTermination")),
    )


@effect("ec2:DescribeSecurityGroups")
def security_groups(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe security groups; EC2 does not tell when one was made."""
    pages = aws.ec2.get_paginator("describe_security_groups").paginate(
        Filters=_filters(fleet), PaginationConfig=_PAGE
    )
    return tuple(
        Resource("security_groups", one["GroupId"], read_tags(one.get("Tags")))
        for page in pages
        for one in page["SecurityGroups"]
    )


@effect("ec2:DescribeKeyPairs")
def key_pairs(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe key pairs."""
    return tuple(
        Resource(
            "key_pairs",
            one["KeyPairId"],
            read_tags(one.get("Tags")),
            made_at=one.get("CreateTime"),
        )
        for one in aws.ec2.describe_key_pairs(Filters=_filters(fleet))["KeyPairs"]
    )


@effect("ec2:DescribeLaunchTemplates")
def launch_templates(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe launch templates."""
    pages = aws.ec2.get_paginator("describe_launch_templates").paginate(Filters=_filters(fleet))
    return tuple(
        Resource(
            "launch_templates",
            one["LaunchTemplateId"],
            read_tags(one.get("Tags")),
            made_at=one["CreateTime"],
        )
        for page in pages
        for one in page["LaunchTemplates"]
    )


@effect("ec2:DescribeImages")
def images(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe the account's own images, deprecated ones too."""
    pages = aws.ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, Filters=_filters(fleet)
    )
    return tuple(_image(one) for page in pages for one in page["Images"])


def _image(one: ImageTypeDef) -> Resource:
    mappings = one.get("BlockDeviceMappings", [])
    return Resource(
        "images",
        one["ImageId"],
        read_tags(one.get("Tags")),
        state=one["State"],
        made_at=datetime.fromisoformat(one["CreationDate"]),
        snapshot_ids=tuple(m["Ebs"]["SnapshotId"] for m in mappings if _has_snapshot(m)),
    )


def _has_snapshot(mapping: object) -> bool:
    return isinstance(mapping, dict) and bool(mapping.get("Ebs", {}).get("SnapshotId"))


@effect("ec2:DescribeSnapshots")
def snapshots(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe the account's own snapshots."""
    pages = aws.ec2.get_paginator("describe_snapshots").paginate(
        OwnerIds=["self"], Filters=_filters(fleet), PaginationConfig=_PAGE
    )
    return tuple(
        Resource(
            "snapshots",
            one["SnapshotId"],
            read_tags(one.get("Tags")),
            state=one["State"],
            made_at=one["StartTime"],
            size_gib=one["VolumeSize"],
        )
        for page in pages
        for one in page["Snapshots"]
    )


@effect("ssm:DescribeParameters")
def parameters(aws: Aws, fleet: str | None) -> tuple[Resource, ...]:
    """Describe our parameters: below the fleets' path and with our mark. None is read or decrypted."""
    root = tags.parameter_path(fleet) if fleet else tags.PARAMETER_ROOT
    pages = aws.ssm.get_paginator("describe_parameters").paginate(
        ParameterFilters=[
            {"Key": "Path", "Option": "Recursive", "Values": [root]},
            {"Key": f"tag:{tags.MANAGED_BY}", "Values": [tags.MAKER]},
        ]
    )
    return tuple(
        Resource(
            "parameters",
            one["Name"],
            {tags.FLEET: tags.fleet_of_parameter(one["Name"]), tags.MANAGED_BY: tags.MAKER},
            made_at=one["LastModifiedDate"],
        )
        for page in pages
        for one in page["Parameters"]
    )


READERS: Mapping[Kind, Callable[[Aws, str | None], tuple[Resource, ...]]] = {
    "instances": instances,
    "spot_requests": spot_requests,
    "volumes": volumes,
    "network_interfaces": network_interfaces,
    "security_groups": security_groups,
    "key_pairs": key_pairs,
    "launch_templates": launch_templates,
    "images": images,
    "snapshots": snapshots,
    "parameters": parameters,
}
"""How each kind is described."""
