"""Subnets, the fleet's security group, and network interfaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, tag_specification
from fleet.errors import NotFoundError
from fleet.plan.facts import IngressRule, SecurityGroupFact, SubnetFact

_EVERYTHING = "-1"

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, SecurityGroupTypeDef


@effect("ec2:DescribeSubnets")
def describe_default_subnets(aws: Aws) -> tuple[SubnetFact, ...]:
    """Describe the subnets of the default VPC: the public one of each Availability Zone."""
    pages = aws.ec2.get_paginator("describe_subnets").paginate(
        Filters=[
            {"Name": "default-for-az", "Values": ["true"]},
            {"Name": "state", "Values": ["available"]},
        ]
    )
    return tuple(
        SubnetFact(
            subnet_id=subnet["SubnetId"],
            vpc_id=subnet["VpcId"],
            availability_zone=subnet["AvailabilityZone"],
            free_addresses=subnet["AvailableIpAddressCount"],
            zone_id=subnet.get("AvailabilityZoneId", ""),
        )
        for page in pages
        for subnet in page["Subnets"]
    )


@effect("ec2:DescribeSecurityGroups")
def describe_security_groups(aws: Aws, *, fleet: str) -> tuple[SecurityGroupFact, ...]:
    """Describe the fleet's security groups."""
    pages = aws.ec2.get_paginator("describe_security_groups").paginate(Filters=of_fleet(fleet))
    return tuple(_fact(group) for page in pages for group in page["SecurityGroups"])


@effect("ec2:CreateSecurityGroup", "ec2:CreateTags")
def create_security_group(
    aws: Aws, *, name: str, vpc_id: str, tags: Mapping[str, str]
) -> SecurityGroupFact:
    """Make the fleet's security group, tagged in this call, still without ingress."""
    answer = aws.ec2.create_security_group(
        GroupName=name,
        Description="SSH, TensorBoard and Jupyter of a fleet (dl-fleet)",
        VpcId=vpc_id,
        TagSpecifications=[tag_specification("security-group", tags)],
    )
    return SecurityGroupFact(answer["GroupId"], vpc_id, frozenset())


@effect("ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress")
def ensure_ingress(aws: Aws, group: SecurityGroupFact, *, wanted: frozenset[IngressRule]) -> None:
    """Make the ingress just what is wanted: rules are replaced, never piled up."""
    if missing := wanted - group.ingress:
        aws.ec2.authorize_security_group_ingress(
            GroupId=group.group_id, IpPermissions=[_permission(rule) for rule in sorted(missing)]
        )
    if stale := group.ingress - wanted:
        aws.ec2.revoke_security_group_ingress(
            GroupId=group.group_id, IpPermissions=[_permission(rule) for rule in sorted(stale)]
        )


@effect("ec2:DeleteSecurityGroup")
def delete_security_group(aws: Aws, *, group_id: str) -> None:
    """Delete a security group; one that is gone already is fine. Raises InUseError while it is in use."""
    try:
        aws.ec2.delete_security_group(GroupId=group_id)
    except aws.ec2.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidGroup.NotFound":
            raise


@effect("ec2:DeleteNetworkInterface")
def delete_network_interface(aws: Aws, *, interface_id: str) -> None:
    """Delete a network interface; one that is gone already is fine. Raises InUseError while it is attached."""
    try:
        aws.ec2.delete_network_interface(NetworkInterfaceId=interface_id)
    except aws.ec2.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") != "InvalidNetworkInterfaceID.NotFound":
            raise


@effect("ec2:DescribeNetworkInterfaces")
def describe_network_interfaces(aws: Aws, *, fleet: str) -> tuple[str, ...]:
    """Give the ids of the fleet's network interfaces."""
    pages = aws.ec2.get_paginator("describe_network_interfaces").paginate(Filters=of_fleet(fleet))
    return tuple(
        interface["NetworkInterfaceId"] for page in pages for interface in page["NetworkInterfaces"]
    )


def _permission(rule: IngressRule) -> IpPermissionTypeDef:
    permission: IpPermissionTypeDef = {"IpProtocol": rule.protocol}
    if rule.protocol != _EVERYTHING:
        permission["FromPort"], permission["ToPort"] = rule.from_port, rule.to_port
    if ":" in rule.cidr:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule.cidr}]
    else:
        permission["IpRanges"] = [{"CidrIp": rule.cidr}]
    return permission


def _fact(group: SecurityGroupTypeDef) -> SecurityGroupFact:
    vpc_id = group.get("VpcId")
    if not vpc_id:
        raise NotFoundError(
            f"security group {group['GroupId']} is in no VPC", remedy="delete it and run again"
        )
    rules = {
        IngressRule(
            permission.get("FromPort", -1),
            permission.get("ToPort", -1),
            cidr,
            permission["IpProtocol"],
        )
        for permission in group["IpPermissions"]
        for cidr in (
            *(entry["CidrIp"] for entry in permission.get("IpRanges", [])),
            *(entry["CidrIpv6"] for entry in permission.get("Ipv6Ranges", [])),
        )
    }
    return SecurityGroupFact(group["GroupId"], vpc_id, frozenset(rules))
