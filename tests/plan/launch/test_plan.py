"""Plans of a launch: who is kept, started, adopted and launched; pools, prices, expiry, ingress."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from decimal import Decimal

import pytest

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.hardware import Prices
from fleet.plan.facts.launch import LaunchTemplateFact, Owned, ProfileFact
from fleet.plan.facts.network import SecurityGroupFact, SubnetFact, tcp
from fleet.plan.launch.as_json import plan_as_json
from fleet.plan.launch.plan import Plan
from tests.plan.worlds import NOW, SPEC, gpu_type, instance, observed, plan, spec


def with_instances(*instances: object) -> Plan:
    return plan(facts=observed(owned=Owned(instances=instances)))  # type: ignore[arg-type]


def names(plan: Plan) -> dict[str, list[str]]:
    return {
        "keep": [a.member.name for a in plan.members.keep],
        "start": [a.member.name for a in plan.members.start],
        "adopt": [a.member.name for a in plan.members.adopt],
        "launch": [member.name for member in plan.members.launch],
        "surplus": [i.instance_id[-2:] for i in plan.members.surplus],
    }


def test_an_empty_region_launches_everybody() -> None:
    assert names(plan())["launch"] == ["ana", "ben", "chloe"]
    assert not plan().changes_nothing


def test_one_member_more_adds_one() -> None:
    found = names(with_instances(instance(1, "ana"), instance(2, "ben")))
    assert found == {
        "keep": ["ana", "ben"],
        "start": [],
        "adopt": [],
        "launch": ["chloe"],
        "surplus": [],
    }


def test_terminated_instances_do_not_count() -> None:
    found = names(
        with_instances(instance(1, "ana", "terminated"), instance(2, "ben", "shutting-down"))
    )
    assert found["launch"] == ["ana", "ben", "chloe"]


def test_stopped_instances_are_started() -> None:
    assert names(with_instances(instance(1, "ana", "stopped")))["start"] == ["ana"]


def test_instances_that_nobody_has_are_adopted_not_bought_again() -> None:
    found = names(with_instances(instance(1, None), instance(2, None), instance(3, "ana")))
    assert found["adopt"] == ["ben", "chloe"]
    assert found["launch"] == []


def test_surplus_is_told_and_left_alone() -> None:
    found = with_instances(instance(1, "ana"), instance(2, "ana"), instance(3, "zoe"))
    assert names(found)["surplus"] == ["02", "03"]
    assert sum("is not in the spec" in warning for warning in found.warnings) == 2


def test_pools_follow_the_order_of_types_and_the_offerings() -> None:
    pools = [(pool.instance_type, pool.availability_zone) for pool in plan().pools]
    assert pools == [
        ("g5.xlarge", "us-east-1a"),
        ("g5.xlarge", "us-east-1b"),
        ("g4dn.xlarge", "us-east-1b"),
    ]


def test_one_subnet_per_zone_the_emptiest() -> None:
    subnets = (
        SubnetFact("subnet-full", "vpc-1", "us-east-1a", 3, "", "igw-1"),
        SubnetFact("subnet-free", "vpc-1", "us-east-1a", 900, "", "igw-1"),
    )
    found = plan(facts=observed(subnets=subnets))
    assert {pool.subnet_id for pool in found.pools} == {"subnet-free"}
    assert {pool.spare_subnets for pool in found.pools} == {("subnet-full",)}


def test_prices_of_first_and_dearest_choice() -> None:
    found = plan(spec(SPEC.replace("[g5.xlarge, g4dn.xlarge]", "[g4dn.xlarge, g5.xlarge]")))
    assert found.cost.instances == Decimal("1.578")
    assert found.cost.instances_at_most == Decimal("3.018")


def test_what_costs_more_than_the_highest_price_is_left_out_of_the_sum() -> None:
    found = plan(spec(SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], max_price: 0.6")))
    assert found.cost.instances == found.cost.instances_at_most == Decimal("1.578")
    assert "max_price 0.6 leaves out g5.xlarge On-Demand" in found.warnings


def test_an_unknown_price_is_unknown_in_sum() -> None:
    found = plan(facts=observed(prices=Prices({"g5.xlarge": Decimal(1)}, {})))
    assert found.cost.instances == Decimal(3)
    assert found.cost.instances_at_most is None
    assert found.hourly_usd is None, "nobody knows what the volumes cost"
    assert found.price_notes == ("no On-Demand price of g4dn.xlarge is known",)


def test_volumes_and_addresses_are_in_the_sum() -> None:
    rates = {"volume/gp3": Decimal("0.072"), "address": Decimal("0.005")}
    prices = Prices({"g5.xlarge": Decimal(1), "g4dn.xlarge": Decimal(2)}, {}, rates=rates)
    found = plan(facts=observed(prices=prices))
    assert (found.cost.volumes, found.cost.addresses) == (Decimal("0.03"), Decimal("0.015"))
    assert found.hourly_usd == Decimal("3.045")
    assert found.hourly_usd_at_most == Decimal("6.045")
    told = plan_as_json(found, now=NOW)["cost"]
    assert isinstance(told, dict)
    assert told["member_hourly_usd_at_most"] == pytest.approx(2.015)
    assert told["until_expiry_usd_at_most"] == pytest.approx(8 * 6.045)
    assert told["daily_usd_at_most"] == pytest.approx(24 * 6.045)


def test_expiry_is_the_one_that_the_fleet_was_made_with() -> None:
    assert plan().expires_at == NOW + timedelta(hours=8)
    known = LaunchTemplateFact("lt-1", "fleet-workshop", 1, "x", "2026-11-21T12:00:00Z")
    found = plan(facts=observed(owned=Owned(launch_templates=(known,))))
    assert found.expires_at == NOW + timedelta(hours=3)


def test_an_expiry_that_has_passed_starts_anew() -> None:
    known = LaunchTemplateFact("lt-1", "fleet-workshop", 1, "x", "2026-11-21T08:00:00Z")
    found = plan(facts=observed(owned=Owned(launch_templates=(known,))))
    assert found.expires_at == NOW + timedelta(hours=8)


def test_the_same_world_gives_the_same_template() -> None:
    assert plan().template.digest == plan().template.digest
    other = plan(spec(SPEC.replace("100GiB", "200GiB")))
    assert other.template.digest != plan().template.digest


def test_me_becomes_the_callers_address_on_three_ports() -> None:
    assert plan().ingress == {tcp(p, "203.0.113.7/32") for p in (22, 6006, 8888)}


def test_the_whole_internet_is_warned_of() -> None:
    found = plan(spec(SPEC + "access: {from: [0.0.0.0/0]}\n"))
    assert any("whole internet" in warning for warning in found.warnings)


def test_never_is_warned_of() -> None:
    found = plan(spec(SPEC.replace("expires: 8h", "expires: never")))
    assert found.expires_at is None
    assert not found.template.terminate_on_shutdown
    assert "expires: never: these instances cost money until `fleet down`" in found.warnings


def test_what_ends_by_idling_is_terminated_though_it_never_expires() -> None:
    found = plan(spec(SPEC.replace("expires: 8h", "expires: never\nidle: 60m")))
    assert found.template.terminate_on_shutdown
    assert any("an instance that is in use costs money" in warning for warning in found.warnings)


def test_another_idle_time_is_another_bootstrap() -> None:
    ids = {plan(spec(SPEC + idle)).bootstrap_id for idle in ("", "idle: 60m\n", "idle: 61m\n")}
    assert len(ids) == 3


@pytest.mark.parametrize(
    ("instances", "told"),
    [
        ("types: [g5.xlarge]", "interruption.sync has no effect"),
        ("types: [g5.xlarge], market: spot", "interruption.sync writes to S3, and the instances"),
        ("types: [g5.xlarge], market: spot, profile: team", ""),
    ],
)
def test_a_sync_that_cannot_work_is_warned_of(instances: str, told: str) -> None:
    text = re.sub(r"instances: {.*}", f"instances: {{{instances}}}", SPEC)
    text += "interruption: {sync: {~/work: s3://team-bucket/workshop}}\n"
    facts = observed(profile=ProfileFact("arn:aws:iam::123456789012:instance-profile/team"))
    found = [w for w in plan(spec(text), facts).warnings if w.startswith("interruption")]
    assert [told in warning for warning in found] == ([True] if told else [])


def test_user_data_ends_an_abandoned_instance() -> None:
    assert "OnCalendar=2026-11-21 17:00:00 UTC" in plan().template.user_data


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subnets": ()}, "no default VPC"),
        ({"offerings": {}}, "not offered in us-east-1"),
        ({"instance_types": {}}, "g5.xlarge does not exist in us-east-1"),
        ({"images": ()}, "no image for pytorch"),
    ],
)
def test_what_cannot_be_met_is_said(change: dict[str, object], message: str) -> None:
    with pytest.raises(NotFoundError, match=message):
        plan(facts=observed(**change))


def test_types_of_two_architectures_are_refused() -> None:
    facts = observed(
        instance_types={
            "g5.xlarge": gpu_type("g5.xlarge"),
            "g4dn.xlarge": gpu_type("g4dn.xlarge", architectures=("arm64",)),
        }
    )
    with pytest.raises(FleetError, match="different architectures"):
        plan(facts=facts)


def test_a_volume_smaller_than_the_image_is_refused() -> None:
    with pytest.raises(FleetError, match="50GiB is smaller than the image's 75GiB"):
        plan(spec(SPEC.replace("100GiB", "50GiB")))


def test_nothing_changes_when_all_is_there() -> None:
    group = SecurityGroupFact("sg-1", "vpc-1", plan().ingress)
    there = tuple(instance(n, m) for n, m in enumerate(("ana", "ben", "chloe"), 1))
    facts = observed(owned=Owned(instances=there, security_groups=(group,)))
    assert plan(facts=facts).changes_nothing
    moved = dataclasses.replace(facts, caller_cidr="198.51.100.1/32")
    assert not plan(facts=moved).changes_nothing


def test_a_type_in_one_zone_alone_is_warned_of() -> None:
    told = [warning for warning in plan().warnings if "alone" in warning]
    assert told == [
        "g4dn.xlarge is offered in us-east-1b alone: when that zone is full, there is none"
    ]


def test_spot_is_warned_of() -> None:
    text = SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], market: spot")
    assert any("two minutes' notice" in warning for warning in plan(spec(text)).warnings)
    assert not any("two minutes' notice" in warning for warning in plan().warnings)
