"""Chooses the network: one subnet in each Availability Zone, in one VPC, that can be reached. Pure.

Refuses what would launch instances that nobody reaches, each in one line with the remedy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.errors import FleetError, NotFoundError
from fleet.plan.access_path import AccessPath, access_path_of
from fleet.plan.facts.launch import Owned
from fleet.plan.facts.network import SubnetFact
from fleet.spec.access import Access

_NAME_A_WAY = "write access.via: ssm, direct or {bastion: USER@HOST}, or name public subnets"


@dataclass(frozen=True)
class Network:
    """Where instances are launched and how they are reached.

    `subnets` is one per zone, the one with most free addresses first; `spares` are the further subnets
    of a zone by its name. `notes` say what was chosen among several and what will not work.
    """

    vpc_id: str
    subnets: tuple[SubnetFact, ...]
    spares: Mapping[str, tuple[str, ...]]
    access_path: AccessPath
    notes: tuple[str, ...] = ()


def choose_network(
    access: Access, subnets: Sequence[SubnetFact], owned: Owned, *, fleet: str, region: str
) -> Network:
    """Choose among the subnets that were found for `access`. Raises FleetError where none will do."""
    _require_found(access, subnets, region)
    vpc_id = _one_vpc(access, subnets)
    _require_same_vpc(owned, vpc_id, fleet)
    access_path = access_path_of(access)
    reached = tuple(subnet for subnet in subnets if subnet.public or not access.public)
    left_out = [subnet.subnet_id for subnet in subnets if subnet not in reached]
    if left_out and (access.subnets or not reached):
        raise _unreachable(left_out)
    zones = _by_zone(reached, public=access.public)
    first = sorted((each[0] for each in zones.values()), key=_most_free)
    return Network(
        vpc_id=vpc_id,
        subnets=tuple(first),
        spares={zone: tuple(s.subnet_id for s in each[1:]) for zone, each in zones.items()},
        access_path=access_path,
        notes=tuple(_notes(zones, left_out, public=access.public)),
    )


def _require_found(access: Access, subnets: Sequence[SubnetFact], region: str) -> None:
    missing = set(access.subnets or ()) - {subnet.subnet_id for subnet in subnets}
    if missing:
        raise NotFoundError(
            f"access.subnets: {' and '.join(sorted(missing))} cannot be found in {region}",
            remedy="correct the id; `aws ec2 describe-subnets` lists them",
        )
    if not subnets and access.vpc:
        raise NotFoundError(
            f"access.vpc: {access.vpc} cannot be found in {region}, or has no subnets",
            remedy="correct the id; `aws ec2 describe-vpcs` lists them",
        )
    if not subnets:
        raise NotFoundError(
            f"{region} has no default VPC with a subnet",
            remedy=f"aws ec2 create-default-vpc --region {region}, or write access.vpc",
        )


def _one_vpc(access: Access, subnets: Sequence[SubnetFact]) -> str:
    wanted = access.vpc or subnets[0].vpc_id
    for subnet in subnets:
        if subnet.vpc_id != wanted and access.vpc:
            raise FleetError(
                f"access.subnets: {subnet.subnet_id} is in {subnet.vpc_id}, not in access.vpc {wanted}",
                remedy="name subnets of that VPC",
            )
        if subnet.vpc_id != wanted:
            raise FleetError(
                f"access.subnets: {subnets[0].subnet_id} is in {wanted} and "
                f"{subnet.subnet_id} in {subnet.vpc_id}",
                remedy="a fleet lives in one VPC: name subnets of one",
            )
    return wanted


def _require_same_vpc(owned: Owned, vpc_id: str, fleet: str) -> None:
    for group in owned.security_groups:
        if group.vpc_id != vpc_id:
            raise FleetError(
                f"fleet {fleet} lives in {group.vpc_id}, and the spec says {vpc_id}",
                remedy=f"correct access.vpc, or `fleet down {fleet}` first",
            )


def _unreachable(subnet_ids: Sequence[str]) -> FleetError:
    listed = " and ".join(subnet_ids)
    has = "has" if len(subnet_ids) == 1 else "have"
    return FleetError(
        f"nobody would reach instances in {listed}: {has} no route to an internet gateway, "
        "and no way in is written",
        remedy=_NAME_A_WAY,
    )


def _by_zone(subnets: Sequence[SubnetFact], *, public: bool) -> dict[str, list[SubnetFact]]:
    """Sort each zone's subnets, the best first.

    A CreateFleet request may not span two subnets of one zone (EC2 user guide, fleet quotas).
    """
    ranked = sorted(subnets, key=lambda s: (not (public or s.way_out), _most_free(s)))
    zones: dict[str, list[SubnetFact]] = {}
    for subnet in ranked:
        zones.setdefault(subnet.availability_zone, []).append(subnet)
    return zones


def _most_free(subnet: SubnetFact) -> tuple[int, str, str]:
    return -subnet.free_addresses, subnet.availability_zone, subnet.subnet_id


def _notes(
    zones: Mapping[str, Sequence[SubnetFact]], left_out: Sequence[str], *, public: bool
) -> Iterator[str]:
    for zone, (first, *others) in sorted(zones.items()):
        if others:
            spare = " and ".join(subnet.subnet_id for subnet in others)
            yield (
                f"{zone} has {len(others) + 1} subnets: {first.subnet_id} is used "
                f"({first.free_addresses} free addresses), {spare} when it is full"
            )
    closed = [first.subnet_id for first, *_ in zones.values() if not (public or first.way_out)]
    if closed:
        yield (
            f"no way out to the internet without public addresses (a NAT gateway) in {', '.join(closed)}: "
            "packages cannot be downloaded there"
        )
    if left_out:
        yield f"left out for they have no route to an internet gateway: {', '.join(left_out)}"
