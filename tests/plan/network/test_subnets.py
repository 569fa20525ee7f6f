"""The network of a plan: subnets that can be reached, one in each zone, in one VPC; or one line why not."""

from __future__ import annotations

import pytest

from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.access_path import PUBLIC, AccessPath, parse_access_path
from fleet.plan.facts.launch import Owned, ProfileFact
from fleet.plan.facts.network import SecurityGroupFact, SubnetFact
from fleet.plan.launch.plan import Plan
from tests.plan.worlds import SPEC, instance, observed, plan, spec

A, B, C = (f"subnet-0000000{n}" for n in "abc")
VPC, OTHER = "vpc-00000001", "vpc-00000002"


def subnet(
    name: str = A, zone: str = "a", route: str = "igw-1", *, free: int = 100, vpc: str = VPC
) -> SubnetFact:
    return SubnetFact(name, vpc, f"us-east-1{zone}", free, "", route)


def planned(access: str, *subnets: SubnetFact, **facts: object) -> Plan:
    return plan(spec(f"{SPEC}access: {access}\n"), observed(subnets=subnets, **facts))


def refused(access: str, *subnets: SubnetFact, **facts: object) -> str:
    with pytest.raises(FleetError) as raised:
        planned(access, *subnets, **facts)
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_the_default_vpc() -> None:
    found = planned("{from: [me]}", subnet(), subnet(B, "b"))
    assert (found.vpc_id, found.network.access_path, found.network.notes) == (VPC, PUBLIC, ())
    assert found.template.public
    assert tags.VIA not in dict(found.template.instance_tags)


def test_no_default_vpc() -> None:
    assert "us-east-1 has no default VPC with a subnet: aws ec2 create" in refused("{from: [me]}")


def test_the_emptier_subnet_of_a_zone_is_used_and_the_other_is_a_spare() -> None:
    found = planned(
        f"{{subnets: [{A}, {B}, {C}]}}",
        subnet(free=20),
        subnet(B, free=90),
        subnet(C, "b", free=50),
    )
    assert [
        (p.subnet_id, p.spare_subnets) for p in found.pools if p.instance_type == "g5.xlarge"
    ] == [
        (B, (A,)),
        (C, ()),
    ]
    told = f"us-east-1a has 2 subnets: {B} is used (90 free addresses), {A} when it is full"
    assert found.network.notes == (told,)
    assert told in found.warnings


def test_zones_with_most_free_addresses_come_first() -> None:
    found = planned("{from: [me]}", subnet(free=7), subnet(B, "b", free=90))
    assert [pool.availability_zone[-1] for pool in found.pools] == ["b", "a", "b"]


def test_subnets_and_vpcs_that_are_not_there() -> None:
    assert f"access.subnets: {B} cannot be found" in refused(f"{{subnets: [{A}, {B}]}}", subnet())
    assert f"access.vpc: {VPC} cannot be found" in refused(f"{{vpc: {VPC}}}")


def test_subnets_of_another_vpc() -> None:
    text = refused(f"{{vpc: {VPC}, subnets: [{A}]}}", subnet(vpc=OTHER))
    assert f"{A} is in {OTHER}, not in access.vpc {VPC}" in text
    text = refused(f"{{subnets: [{A}, {B}]}}", subnet(), subnet(B, "b", vpc=OTHER))
    assert f"{A} is in {VPC} and {B} in {OTHER}" in text


@pytest.mark.parametrize("access", [f"{{subnets: [{A}]}}", f"{{vpc: {VPC}}}", "{from: [me]}"])
@pytest.mark.parametrize("route", ["nat-1", ""])
def test_a_private_subnet_without_a_way_in_is_refused(access: str, route: str) -> None:
    text = refused(access, subnet(route=route))
    assert f"nobody would reach instances in {A}: has no route to an internet gateway" in text
    assert "write access.via: ssm, direct or {bastion: USER@HOST}" in text


def test_a_named_private_subnet_is_refused_beside_a_public_one_an_unnamed_is_left_out() -> None:
    both = (subnet(), subnet(B, "b", "nat-1"))
    assert f"instances in {B}:" in refused(f"{{subnets: [{A}, {B}]}}", *both)
    found = planned(f"{{vpc: {VPC}}}", *both)
    assert {pool.subnet_id for pool in found.pools} == {A}
    assert found.network.notes == (f"left out for they have no route to an internet gateway: {B}",)


@pytest.mark.parametrize(
    ("via", "access_path"),
    [
        ("ssm", AccessPath("ssm")),
        ("direct", AccessPath("direct")),
        ('{bastion: "me@b.example.org:2222"}', AccessPath("bastion", "me@b.example.org:2222")),
    ],
)
def test_private_addresses_with_a_way_in(via: str, access_path: AccessPath) -> None:
    found = planned(f"{{from: [10.0.0.0/8], via: {via}}}", subnet(route="nat-1"))
    assert found.network.access_path == access_path
    assert not found.template.public
    text = dict(found.template.instance_tags)[tags.VIA]
    assert parse_access_path(text) == access_path
    assert found.network.notes == ()
    assert found.cost.addresses == 0, "nobody pays for addresses that nobody has"


def test_a_subnet_without_a_way_out_is_told_and_comes_last() -> None:
    found = planned(
        "{from: [10.0.0.0/8], via: direct}",
        subnet(route="", free=900),
        subnet(B, "a", "nat-1", free=5),
        subnet(C, "b", "igw-1"),
    )
    assert {pool.subnet_id for pool in found.pools} == {B, C}
    assert any(note.startswith("no way out") and f" in {C}: " in note for note in found.warnings)


def test_a_fleet_does_not_move_to_another_vpc() -> None:
    owned = Owned(security_groups=(SecurityGroupFact("sg-1", OTHER, frozenset()),))
    text = refused("{from: [me]}", subnet(), owned=owned)
    assert f"fleet workshop lives in {OTHER}, and the spec says {VPC}" in text


def test_an_instance_is_reached_at_its_own_address() -> None:
    found = instance(1, "ana")
    assert found.address == found.public_address
    found = instance(1, "ana")
    inside = type(found)(**{**found.__dict__, "tags": {**found.tags, tags.VIA: "ssm"}})
    assert inside.address == inside.private_address
    assert inside.access_path.tunnelled


def profile_spec(profile: str, access: str = "{from: [me]}") -> str:
    named = SPEC.replace("g4dn.xlarge]", f"g4dn.xlarge], profile: {profile}")
    return f"{named}access: {access}\n"


ARN = "arn:aws:iam::123456789012:instance-profile/teams/workshop"


@pytest.mark.parametrize("written", ["workshop", ARN])
def test_an_instance_profile(written: str) -> None:
    found = plan(spec(profile_spec(written)), observed(profile=ProfileFact(ARN)))
    assert found.template.profile == written


def test_an_unknown_instance_profile_is_told() -> None:
    with pytest.raises(FleetError, match="there is no instance profile workshop: correct it"):
        plan(spec(profile_spec("workshop")))
    other = ARN.replace("teams", "staff")
    with pytest.raises(FleetError, match=f"{other} is not there: did you mean {ARN}"):
        plan(spec(profile_spec(other)), observed(profile=ProfileFact(ARN)))


def test_a_profile_that_cannot_be_read_is_no_fault() -> None:
    found = plan(spec(profile_spec("workshop")), observed(profile=ProfileFact(unread="denied")))
    assert "the instance profile could not be looked at: denied" in found.warnings


def test_ssm_without_a_profile_is_told() -> None:
    found = planned("{via: ssm}", subnet(route="nat-1"))
    assert any(
        warning.startswith("access.via: ssm needs an instance") for warning in found.warnings
    )
