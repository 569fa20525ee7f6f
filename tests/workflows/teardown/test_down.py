"""`down`: what is ours goes, what is foreign stays, what cannot go is told."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.aws.requests import tag_list
from fleet.plan.tags import fleet_tags
from fleet.workflows.context import Deadlines
from fleet.workflows.environment.status import describe_fleet, list_fleets
from fleet.workflows.launch.up import apply_up
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.workflows.conftest import SHORT, World

pytestmark = pytest.mark.slow


def take_away(world: World, deadlines: Deadlines = SHORT) -> tuple[dict[str, int], dict[str, int]]:
    context = dataclasses.replace(world.context, deadlines=deadlines)
    receipt = apply_down(context, prepare_down(context, "workshop"))
    return (
        {kind: len(ids) for kind, ids in receipt.released.items() if ids},
        {kind: len(ids) for kind, ids in receipt.remaining.items() if ids},
    )


def test_everything_goes(world: World) -> None:
    apply_up(world.context, world.plan())
    released, remaining = take_away(world)
    assert released == {
        "instances": 3,
        "volumes": 3,
        "network_interfaces": 3,
        "security_groups": 1,
        "key_pairs": 1,
        "launch_templates": 1,
        "parameters": 3,
    }
    assert remaining == {}
    assert take_away(world) == ({}, {}), "nothing to do, and no complaint"


def test_another_fleet_is_not_touched(world: World) -> None:
    apply_up(world.context, world.plan(members="[ana]"))
    apply_up(world.context, world.plan(name="other", members="[zoe]"))
    take_away(world)
    assert [(f.fleet, f.running) for f in list_fleets(world.context)] == [("other", 1)]
    assert len(describe_fleet(world.context, "other").environments) == 1


def test_a_volume_that_outlives_its_instance_goes_too(world: World) -> None:
    made = world.served.ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tag_list(fleet_tags("workshop"))}],
    )
    released, remaining = take_away(world)
    assert (released, remaining) == ({"volumes": 1}, {})
    assert made["VolumeId"]


def test_a_security_group_in_foreign_use_is_told(world: World) -> None:
    apply_up(world.context, world.plan(members="[ana]"))
    (group,) = world.plan().owned.security_groups
    foreign = world.served.ec2.create_security_group(GroupName="foreign", Description="not ours")
    world.served.ec2.authorize_security_group_ingress(
        GroupId=foreign["GroupId"],
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 1,
                "ToPort": 1,
                "UserIdGroupPairs": [{"GroupId": group.group_id}],
            }
        ],
    )
    released, remaining = take_away(world, dataclasses.replace(SHORT, terminated=2))
    assert remaining == {"security_groups": 1}
    assert released["instances"] == 1
    assert any(event.state == "failed" for event in world.events)


def test_instances_that_were_terminated_by_hand(world: World) -> None:
    report = apply_up(world.context, world.plan())
    by_hand = [str(e.instance_id) for e in report.environments[:2]]
    world.served.ec2.terminate_instances(InstanceIds=by_hand)
    released, remaining = take_away(world)
    assert remaining == {}
    assert released["security_groups"] == 1
