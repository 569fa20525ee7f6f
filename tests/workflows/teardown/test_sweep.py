"""`sweep` over a served cloud: what it finds in which region, that it removes just what it showed, and what changed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fleet.aws.requests import tag_specification
from fleet.errors import NotAuthorizedError
from fleet.plan import tags
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from fleet.workflows.teardown.sweep import Sweep, apply_sweep, prepare_sweep
from tests.workflows.conftest import World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


def later(world: World, hours: float) -> Context:
    """The same region so many hours from now."""
    return dataclasses.replace(
        world.context, now=lambda: datetime.now(UTC) + timedelta(hours=hours)
    )


def kinds(sweep: Sweep) -> list[str]:
    return sorted(one.resource.kind for one in sweep.goes)


def make_volume(world: World, *, region: str = "us-east-1", fleet: str = "workshop") -> str:
    ec2: Any = world.served.client("ec2", region=region)
    made = ec2.create_volume(
        AvailabilityZone=f"{region}a",
        Size=100,
        VolumeType="gp3",
        TagSpecifications=[tag_specification("volume", tags.fleet_tags(fleet))],
    )
    return str(made["VolumeId"])


def test_a_fleet_past_its_expiry_goes_whole(world: World) -> None:
    launched(world, "[ana]")
    assert prepare_sweep(world.context, older_than=timedelta(0)).orphans == ()
    context = later(world, 9.5)
    sweep = prepare_sweep(context, older_than=DAY)
    assert {one.reason for one in sweep.goes} == {"the fleet expired 1h ago"}
    instance = next(one for one in sweep.goes if one.resource.kind == "instances")
    assert instance.monthly_usd == (Decimal("1.006") + Decimal("0.005")) * 720
    receipt = apply_sweep(context, sweep)
    assert (receipt.left, receipt.changed) == ((), ())
    assert world.states() == ["terminated"]
    assert {kind for kind, ids in receipt.released_ids().items() if ids} == {
        "instances", "volumes", "network_interfaces", "security_groups", "key_pairs",
        "launch_templates", "parameters",
    }  # fmt: skip
    assert prepare_sweep(context, older_than=timedelta(0)).orphans == ()


def test_a_half_made_fleet_goes_when_it_is_old(world: World) -> None:
    ensure_prerequisites(world.context, world.plan(expires="never"))
    assert prepare_sweep(world.context, older_than=DAY).orphans == ()
    context = later(world, 25)
    sweep = prepare_sweep(context, older_than=DAY)
    assert kinds(sweep) == [
        "key_pairs", "launch_templates", *["parameters"] * 3, "security_groups",
    ]  # fmt: skip
    assert apply_sweep(context, sweep).left == ()
    assert prepare_sweep(context, older_than=timedelta(0)).orphans == ()


def test_just_what_was_shown_goes_and_what_changed_is_told(world: World) -> None:
    lost, kept = make_volume(world), make_volume(world)
    context = later(world, 25)
    sweep = prepare_sweep(context, older_than=DAY)
    assert kinds(sweep) == ["volumes", "volumes"]
    world.served.ec2.delete_volume(VolumeId=lost)
    since = make_volume(world)
    receipt = apply_sweep(context, sweep)
    assert [r.resource_id for r in receipt.released] == [kept]
    assert sorted(receipt.changed) == sorted(
        (
            f"us-east-1: volume {lost} has gone meanwhile",
            f"us-east-1: volume {since} is an orphan since: not touched",
        )
    )
    there = world.served.ec2.describe_volumes()["Volumes"]
    assert [volume["VolumeId"] for volume in there] == [since]


def test_a_fleet_that_somebody_brings_up_meanwhile_is_not_touched(world: World) -> None:
    ensure_prerequisites(world.context, world.plan(expires="never"))
    context = later(world, 25)
    sweep = prepare_sweep(context, older_than=DAY)
    launched(world, "[ana]", expires="never")
    receipt = apply_sweep(context, sweep)
    assert receipt.released == ()
    assert all("is needed again" in text for text in receipt.changed)
    assert world.states() == ["running"]


def test_all_regions_are_looked_at(world: World) -> None:
    here, there = make_volume(world), make_volume(world, region="eu-west-1", fleet="far")
    context = later(world, 25)
    sweep = prepare_sweep(context, older_than=DAY, all_regions=True)
    assert len(sweep.regions) > 10
    assert sweep.unread == ()
    assert {(one.region, one.resource.resource_id) for one in sweep.goes} == {
        ("us-east-1", here),
        ("eu-west-1", there),
    }
    assert all(one.monthly_usd is not None for one in sweep.goes)
    receipt = apply_sweep(context, sweep)
    assert len(receipt.released) == 2
    assert prepare_sweep(context, older_than=DAY, all_regions=True).orphans == ()


def test_what_is_refused_is_left_with_its_command(world: World) -> None:
    volume = make_volume(world)
    context = later(world, 25)
    world.served.cloud.faults.add("deny", action="ec2:DeleteVolume")
    receipt = apply_sweep(context, prepare_sweep(context, older_than=DAY))
    (left,) = receipt.left
    assert left.command == f"aws ec2 --region us-east-1 delete-volume --volume-id {volume}"
    assert round(left.monthly_usd or 0, 2) == 8


def test_a_kind_that_may_not_be_looked_at_is_told(world: World) -> None:
    world.served.cloud.faults.add("deny", action="ec2:DescribeInstances")
    make_volume(world)
    sweep = prepare_sweep(later(world, 25), older_than=DAY)
    assert sweep.orphans == ()
    assert sweep.unread[0].startswith("us-east-1: instances: this identity may not call")
    world.served.cloud.faults.add("deny", action="ec2:DescribeRegions")
    with pytest.raises(NotAuthorizedError):
        prepare_sweep(world.context, older_than=DAY, all_regions=True)


def test_snapshots_have_a_price(world: World) -> None:
    figures, _ = read_figures(world.context, types=[], rates=True)
    assert figures["snapshot"].usd == Decimal("0.05")
