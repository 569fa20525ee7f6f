"""Instances: describe, tag, start, stop, terminate. Launching is in `fleets`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, read_tags, tag_list
from fleet.plan import tags as tag_names
from fleet.plan.facts.environment import InstanceFact

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef


@effect("ec2:DescribeInstances")
def describe_instances(aws: Aws, *, fleet: str) -> tuple[InstanceFact, ...]:
    """Describe the fleet's instances in every state, terminated ones while EC2 still shows them."""
    return _describe(aws, of_fleet(fleet))


@effect("ec2:DescribeInstances")
def describe_all_instances(aws: Aws) -> tuple[InstanceFact, ...]:
    """Describe the instances of all fleets of the region."""
    return _describe(aws, [{"Name": "tag-key", "Values": [tag_names.FLEET]}])


@effect("ec2:CreateTags")
def tag_instance(aws: Aws, *, instance_id: str, tags: Mapping[str, str]) -> None:
    """Put tags on one instance."""
    aws.ec2.create_tags(Resources=[instance_id], Tags=tag_list(tags))


@effect("ec2:StartInstances")
def start_instances(aws: Aws, *, instance_ids: Sequence[str]) -> None:
    """Start stopped instances, all or none."""
    aws.launcher.start_instances(InstanceIds=list(instance_ids))


@effect("ec2:StopInstances")
def stop_instances(aws: Aws, *, instance_ids: Sequence[str]) -> None:
    """Stop running instances, all or none; their disks stay. One that stops already is fine."""
    aws.ec2.stop_instances(InstanceIds=list(instance_ids))


@effect("ec2:TerminateInstances")
def terminate_instances(aws: Aws, *, instance_ids: Sequence[str]) -> None:
    """Terminate at most 1,000 instances in one call. EC2 refuses the call as a whole for one of them."""
    aws.ec2.terminate_instances(InstanceIds=list(instance_ids))


def _describe(aws: Aws, filters: Sequence[FilterTypeDef]) -> tuple[InstanceFact, ...]:
    pages = aws.ec2.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": 1000}
    )
    return tuple(
        _fact(instance)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    )


def _fact(instance: InstanceTypeDef) -> InstanceFact:
    return InstanceFact(
        instance_id=instance["InstanceId"],
        state=instance["State"]["Name"],
        instance_type=instance["InstanceType"],
        availability_zone=instance["Placement"]["AvailabilityZone"],
        market="spot" if instance.get("InstanceLifecycle") == "spot" else "on-demand",
        image_id=instance["ImageId"],
        public_address=instance.get("PublicIpAddress") or None,
        private_address=instance.get("PrivateIpAddress") or None,
        launched_at=instance["LaunchTime"],
        state_reason=instance.get("StateReason", {}).get("Message", ""),
        state_reason_code=instance.get("StateReason", {}).get("Code", ""),
        tags=read_tags(instance.get("Tags")),
        dns_names=tuple(
            filter(None, (instance.get("PublicDnsName"), instance.get("PrivateDnsName")))
        ),
    )
