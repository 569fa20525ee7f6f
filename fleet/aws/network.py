"""The fleet's security group with its rules, and network interfaces. Subnets are in `subnets`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, tag_specification
from fleet.errors import NotFoundError
from fleet.plan.facts.network import IngressRule, SecurityGroupFact

_EVERYTHING = "-1"

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import IpPermissionTypeDef, SecurityGroupTypeDef


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
    """Make the ingress just what is wanted: rules are replaced, never piled up.

    New rules come first, so that nobody who stays is locked out in between.
    """
    _change(
        lambda permissions: aws.ec2.authorize_security_group_ingress(
            GroupId=group.group_id, IpPermissions=permissions
        ),
        wanted - group.ingress,
        done="InvalidPermission.Duplicate",
    )
    _change(
        lambda permissions: aws.ec2.revoke_security_group_ingress(
            GroupId=group.group_id, IpPermissions=permissions
        ),
        group.ingress - wanted,
        done="InvalidPermission.NotFound",
    )


def _change(
    send: Callable[[list[IpPermissionTypeDef]], object],
    rules: Collection[IngressRule],
    *,
    done: str,
) -> None:
    """Send rules in one call. For one that is done already EC2 refuses all of them: then one by one."""
    permissions = [_permission(rule) for rule in sorted(rules)]
    if not permissions or _sent(send, permissions, done=done):
        return
    for permission in permissions:
        _sent(send, [permission], done=done)


def _sent(
    send: Callable[[list[IpPermissionTypeDef]], object],
    permissions: list[IpPermissionTypeDef],
    *,
    done: str,
) -> bool:
    try:
        send(permissions)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != done:
            raise
        return False
    return True


@effect("ec2:UpdateSecurityGroupRuleDescriptionsIngress")
def describe_rules_as(aws: Aws, *, group_id: str, rules: Iterable[IngressRule]) -> None:
    """Give rules that are there the descriptions that these have."""
    aws.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group_id, IpPermissions=[_permission(rule) for rule in sorted(rules)]
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


def _permission(rule: IngressRule) -> IpPermissionTypeDef:
    permission: IpPermissionTypeDef = {"IpProtocol": rule.protocol}
    if rule.protocol != _EVERYTHING:
        permission["FromPort"], permission["ToPort"] = rule.from_port, rule.to_port
    about = {"Description": rule.description} if rule.description else {}
    if ":" in rule.cidr:
        permission["Ipv6Ranges"] = [{"CidrIpv6": rule.cidr, **about}]  # type: ignore[typeddict-item]
    else:
        permission["IpRanges"] = [{"CidrIp": rule.cidr, **about}]  # type: ignore[typeddict-item]
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
            description=about,
        )
        for permission in group["IpPermissions"]
        for cidr, about in (
            *((r["CidrIp"], r.get("Description", "")) for r in permission.get("IpRanges", [])),
            *((r["CidrIpv6"], r.get("Description", "")) for r in permission.get("Ipv6Ranges", [])),
        )
    }
    return SecurityGroupFact(group["GroupId"], vpc_id, frozenset(rules))
