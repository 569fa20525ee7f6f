"""`up` over a cloud that falls short, forgets and remembers."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from fleet.aws.leases import read_leases
from fleet.aws.parameters import read_secrets
from fleet.errors import CapacityError, EndpointError, NothingFoundError
from fleet.plan import tags
from fleet.plan.environment.report import FleetReport
from fleet.plan.launch.plan import Plan
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from fleet.workflows.launch.purchase import Launch
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.lease import hold_lease
from fleet.workflows.record.make_secrets import ensure_secrets
from fleet.workflows.record.secrets import describe_secrets
from fleet.workflows.teardown.inventory import describe_inventory
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow


def states(report: FleetReport) -> list[str]:
    return [environment.state for environment in report.environments]


def launch(world: World, plan: Plan) -> list[str]:
    """Launch, and leave everything else undone, as a run does that ends there."""
    ids: list[str] = []
    template = ensure_prerequisites(world.context, plan).template
    with hold_lease(world.context, plan.fleet, account_id=plan.account_id, command="up") as lease:
        Launch(world.context, plan, lease, template, ids.extend).run()
    return ids


def test_hosts_that_never_answer_are_told_and_kept(world: World) -> None:
    report = apply_up(world.context, world.plan())
    assert states(report) == ["failed"] * 3
    assert all("no SSH connection" in e.reason for e in report.environments)
    assert report.hourly_usd is not None
    assert float(report.hourly_usd) == pytest.approx(3 * 1.006), "what runs costs, ready or not"
    assert world.states() == ["running"] * 3
    again = apply_up(world.context, world.plan())
    assert [e.instance_id for e in again.environments] == [
        e.instance_id for e in report.environments
    ], "a second run works on the same instances"
    assert world.states() == ["running"] * 3


def test_a_shortfall_is_told_with_ec2s_reason(world: World) -> None:
    world.served.cloud.state.capacity.put(0)
    world.served.cloud.state.capacity.put(2, availability_zone="us-east-1b")
    report = apply_up(world.context, world.plan())
    assert states(report) == ["failed", "failed", "missing"]
    missing = report.environments[2]
    assert missing.member == "cyd"
    assert "g5.xlarge in us-east-1a: InsufficientInstanceCapacity" in missing.reason
    assert any("InsufficientInstanceCapacity" in event.detail for event in world.events)


def test_spot_first_goes_on_to_on_demand(world: World) -> None:
    world.served.cloud.state.capacity.put(0, market="spot")
    plan = world.plan(instances="{types: [g5.xlarge], market: spot-first}")
    report = apply_up(world.context, plan)
    assert [e.market for e in report.environments] == ["on-demand"] * 3


def test_a_price_cap_leaves_dearer_types_out(world: World) -> None:
    plan = world.plan(instances="{types: [g5.xlarge, g4dn.xlarge], max_price: 0.60}")
    report = apply_up(world.context, plan)
    assert {e.instance_type for e in report.environments} == {"g4dn.xlarge"}


def test_instances_of_a_launch_that_was_cut_off_are_adopted(world: World) -> None:
    plan = world.plan()
    launch(world, plan)
    after = world.plan()
    assert [a.member.name for a in after.members.adopt] == ["ana", "ben", "cyd"]
    assert after.members.launch == ()
    report = apply_up(world.context, after)
    assert [e.member for e in report.environments] == ["ana", "ben", "cyd"]
    assert len(world.states()) == 3


def test_a_stopped_instance_is_started_again(world: World) -> None:
    first = apply_up(world.context, world.plan(expires="never"))
    ids = [str(e.instance_id) for e in first.environments]
    world.served.ec2.stop_instances(InstanceIds=ids[:1])
    world.served.ec2.get_waiter("instance_stopped").wait(
        InstanceIds=ids[:1], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    plan = world.plan(expires="never")
    assert [a.member.name for a in plan.members.start] == ["ana"]
    again = apply_up(world.context, plan)
    assert [e.instance_id for e in again.environments] == ids
    assert world.states() == ["running"] * 3


def test_an_instance_that_ends_by_itself_is_replaced(world: World) -> None:
    first = apply_up(world.context, world.plan())
    lost = str(first.environments[1].instance_id)
    world.served.ec2.terminate_instances(InstanceIds=[lost])
    plan = world.plan()
    assert [member.name for member in plan.members.launch] == ["ben"]
    again = apply_up(world.context, plan)
    assert again.environments[1].instance_id != lost
    assert again.environments[0].instance_id == first.environments[0].instance_id


def test_ingress_is_replaced_never_piled_up(world: World) -> None:
    apply_up(world.context, world.plan())
    (group,) = world.plan().owned.security_groups
    world.served.ec2.authorize_security_group_ingress(
        GroupId=group.group_id,
        IpPermissions=[
            {
                "IpProtocol": "tcp",
                "FromPort": 1,
                "ToPort": 65535,
                "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
            },
            {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "198.51.100.0/24"}]},
        ],
    )
    moved = world.plan(access="{from: [192.0.2.0/24, '2001:db8::/32']}")
    assert not moved.changes_nothing
    apply_up(world.context, moved)
    (now,) = world.plan().owned.security_groups
    assert {rule.cidr for rule in now.ingress} == {"192.0.2.0/24", "2001:db8::/32"}
    assert {rule.from_port for rule in now.ingress} == {22, 6006, 8888}
    assert len(now.ingress) == 6


def test_secrets_are_made_once_by_whoever_comes_first(world: World) -> None:
    with pytest.raises(NothingFoundError, match="/fleet/workshop"):
        describe_secrets(world.context, "workshop")
    first = ensure_secrets(world.context, "workshop", expires_at=None)
    assert ensure_secrets(world.context, "workshop", expires_at=None) == first
    assert describe_secrets(world.context, "workshop") == first


def test_a_key_pair_of_another_key_is_replaced(world: World) -> None:
    plan = world.plan()
    ensure_prerequisites(world.context, plan)
    (before,) = world.plan().owned.key_pairs
    names = [
        f"/fleet/workshop/{name}" for name in read_secrets(world.context.aws, fleet="workshop")
    ]
    world.served.client("ssm").delete_parameters(Names=names)
    ensure_prerequisites(world.context, world.plan())
    (after,) = world.plan().owned.key_pairs
    assert after.public_key != before.public_key


def test_a_changed_spec_makes_a_version_and_keeps_the_expiry(world: World) -> None:
    plan = world.plan()
    ensure_prerequisites(world.context, plan)
    bigger = world.plan(volume="200GiB", expires="2h")
    assert bigger.expires_at == plan.expires_at
    found = ensure_prerequisites(world.context, bigger).template
    assert found.version == 2
    assert (
        ensure_prerequisites(world.context, world.plan(volume="200GiB", expires="2h")).template
        == found
    )


def test_every_resource_carries_the_fleets_tag(world: World) -> None:
    apply_up(world.context, world.plan())
    found = describe_inventory(world.context, "workshop").resources
    counted = Counter(resource.kind for resource in found if resource.ours)
    three = dict.fromkeys(("instances", "volumes", "network_interfaces"), 3)
    one = dict.fromkeys(("security_groups", "key_pairs", "launch_templates"), 1)
    assert counted == {**three, **one, "parameters": 3}
    for resource in found:
        if resource.kind == "instances":
            assert resource.tags[tags.LOGIN_USER] == "ubuntu"
            assert resource.tags[tags.EXPIRES_AT].endswith("Z")


def test_no_capacity_anywhere_is_told_and_leaves_nothing(world: World) -> None:
    world.served.cloud.state.capacity.put(0)
    began = world.context.clock()
    with pytest.raises(CapacityError) as raised:
        apply_up(world.context, world.plan(instances="{types: [g5.xlarge, g4dn.xlarge]}"))
    assert world.context.clock() - began < 10
    assert "g4dn.xlarge in us-east-1a, us-east-1b" in raised.value.message
    assert raised.value.message.endswith("(nothing was launched, and nothing is left)")
    assert "--wait-for-capacity" in raised.value.remedy
    assert describe_inventory(world.context, "workshop").resources == ()


def test_capacity_that_comes_late_is_waited_for(world: World) -> None:
    world.served.cloud.faults.add("no-capacity", calls=2)
    patient = dataclasses.replace(world.context.deadlines, capacity=30)
    context = dataclasses.replace(world.context, deadlines=patient)
    report = apply_up(context, world.plan())
    assert [e.instance_id is not None for e in report.environments] == [True] * 3
    assert any("3 missing: trying again" in event.detail for event in world.events)


def test_a_lost_answer_buys_nothing_twice(world: World) -> None:
    world.served.cloud.faults.add("lost-response", action="CreateFleet", calls=1)
    report = apply_up(world.context, world.plan())
    assert states(report) == ["failed"] * 3
    assert world.states() == ["running"] * 3


def test_answers_that_are_all_lost_are_made_up_for_by_the_next_run(world: World) -> None:
    world.served.cloud.faults.add("lost-response", action="CreateFleet")
    with pytest.raises(EndpointError):
        apply_up(world.context, world.plan())
    world.served.cloud.faults.clear()
    apply_up(world.context, world.plan())
    assert world.states() == ["running"] * 3
    assert read_leases(world.context.aws, fleet="workshop") == {}
