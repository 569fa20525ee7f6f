"""Who uses a security group: network interfaces with their instances, and rules of other groups."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import read_tags
from fleet.plan import tags

_REFERENCES = ("ip-permission.group-id", "egress.ip-permission.group-id")


@dataclass(frozen=True)
class GroupUser:
    """A network interface in the group, with its instance if it has one; or another group whose rules name it.

    `ours` says that the interface carries our mark.
    """

    resource_id: str
    instance_id: str | None = None
    ours: bool = False

    def __str__(self) -> str:
        if self.instance_id:
            return f"instance {self.instance_id} ({self.resource_id})"
        kind = "a rule of security group" if self.resource_id.startswith("sg-") else "interface"
        return f"{kind} {self.resource_id}"


@effect("ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups")
def describe_group_users(aws: Aws, *, group_id: str) -> tuple[GroupUser, ...]:
    """Describe what keeps EC2 from deleting a security group; its own rules do not."""
    interfaces = aws.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "group-id", "Values": [group_id]}]
    )
    users = [
        GroupUser(
            one["NetworkInterfaceId"],
            one.get("Attachment", {}).get("InstanceId"),
            read_tags(one.get("TagSet")).get(tags.MANAGED_BY) == tags.MAKER,
        )
        for page in interfaces
        for one in page["NetworkInterfaces"]
    ]
    for reference in _REFERENCES:
        answer = aws.ec2.describe_security_groups(
            Filters=[{"Name": reference, "Values": [group_id]}]
        )
        users += [GroupUser(g["GroupId"]) for g in answer["SecurityGroups"]]
    return tuple(dict.fromkeys(user for user in users if user.resource_id != group_id))
