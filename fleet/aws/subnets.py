"""Subnets that a fleet can be launched in, each with its way to the internet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.facts.network import SubnetFact

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef, RouteTableTypeDef, RouteTypeDef

_EVERYWHERE = "0.0.0.0/0"
_TARGETS = (
    "GatewayId", "NatGatewayId", "TransitGatewayId", "InstanceId", "NetworkInterfaceId",
    "VpcPeeringConnectionId", "LocalGatewayId", "CarrierGatewayId", "CoreNetworkArn",
)  # fmt: skip


@effect("ec2:DescribeSubnets", "ec2:DescribeRouteTables")
def describe_subnets(
    aws: Aws, *, vpc_id: str | None = None, subnet_ids: Sequence[str] | None = None
) -> tuple[SubnetFact, ...]:
    """Describe the named subnets, or else those of the VPC, or else the default ones of the default VPC.

    One that is not there is left out.
    """
    pages = aws.ec2.get_paginator("describe_subnets").paginate(
        Filters=[_which(vpc_id, subnet_ids), {"Name": "state", "Values": ["available"]}]
    )
    found = [subnet for page in pages for subnet in page["Subnets"]]
    routes = _default_routes(aws, sorted({subnet["VpcId"] for subnet in found}))
    return tuple(
        SubnetFact(
            subnet_id=subnet["SubnetId"],
            vpc_id=subnet["VpcId"],
            availability_zone=subnet["AvailabilityZone"],
            free_addresses=subnet["AvailableIpAddressCount"],
            zone_id=subnet.get("AvailabilityZoneId", ""),
            default_route=routes.get(subnet["SubnetId"], routes.get(subnet["VpcId"], "")),
        )
        for subnet in found
    )


def _which(vpc_id: str | None, subnet_ids: Sequence[str] | None) -> FilterTypeDef:
    if subnet_ids:
        return {"Name": "subnet-id", "Values": list(subnet_ids)}
    if vpc_id:
        return {"Name": "vpc-id", "Values": [vpc_id]}
    return {"Name": "default-for-az", "Values": ["true"]}


def _default_routes(aws: Aws, vpc_ids: Sequence[str]) -> Mapping[str, str]:
    """Give the target of the route to everywhere by subnet, and by VPC for its main route table.

    A subnet that is associated with no route table has the main one (VPC user guide, "Route tables").
    """
    if not vpc_ids:
        return {}
    pages = aws.ec2.get_paginator("describe_route_tables").paginate(
        Filters=[{"Name": "vpc-id", "Values": list(vpc_ids)}]
    )
    return {
        name: _target(table)
        for page in pages
        for table in page["RouteTables"]
        for name in _holders(table)
    }


def _holders(table: RouteTableTypeDef) -> list[str]:
    found = []
    for association in table.get("Associations", []):
        if association.get("Main"):
            found.append(table["VpcId"])
        elif "SubnetId" in association:
            found.append(association["SubnetId"])
    return found


def _target(table: RouteTableTypeDef) -> str:
    for route in table.get("Routes", []):
        if route.get("DestinationCidrBlock") == _EVERYWHERE and route.get("State") == "active":
            return _target_of(route)
    return ""


def _target_of(route: RouteTypeDef) -> str:
    """A route whose target is gone is a `blackhole`, and not active."""
    return next((str(route[key]) for key in _TARGETS if route.get(key)), "")  # type: ignore[literal-required]
