"""`down` on bad days: protected, denied, shared, half gone, not visible yet, kept on purpose, killed on the way."""

from __future__ import annotations

import dataclasses
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from fleet.aws.clients import Aws
from fleet.aws.requests import tag_list, tag_specification
from fleet.errors import NothingFoundError
from fleet.plan import tags
from fleet.plan.teardown.resources import by_kind
from fleet.workflows.events import Event
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.workflows.conftest import World
from tests.workflows.fleets import down, launched, released, remaining

pytestmark = pytest.mark.slow

SHARED = {"security_groups": 1, "key_pairs": 1, "launch_templates": 1, "parameters": 3}


def own(kind: Any, **more: str) -> Any:
    return [tag_specification(kind, tags.fleet_tags("workshop") | more)]


def volumes(world: World) -> list[Any]:
    found: list[Any] = world.served.ec2.describe_volumes()["Volumes"]
    return found


def test_a_member_goes_and_the_rest_stays(world: World) -> None:
    launched(world, "[ana, ben]")
    assert released(down(world, members=["ana"])) == {
        "instances": 1,
        "volumes": 1,
        "network_interfaces": 1,
    }
    assert world.states() == ["running", "terminated"]
    with pytest.raises(NothingFoundError, match="no member bne: did you mean ben"):
        prepare_down(world.context, "workshop", members=["bne"])
    again = down(world, members=["ana"])
    assert again.clean
    assert [kind for kind, _ in again.already_gone] == ["instances"]
    assert released(down(world))["instances"] == 1


def test_volumes_are_kept_and_told_until_somebody_takes_them(world: World) -> None:
    launched(world, "[ana, ben]")
    receipt = down(world, keep_volumes=True)
    assert receipt.clean
    assert released(receipt) == {"instances": 2, "network_interfaces": 2, **SHARED}
    assert [round(one.monthly_usd or 0, 2) for one in receipt.kept] == [8, 8]
    assert all("delete-volume" in one.command for one in receipt.kept)
    left = volumes(world)
    assert [volume["State"] for volume in left] == ["available"] * 2
    members = {t["Value"] for v in left for t in v["Tags"] if t["Key"] == tags.MEMBER}
    assert members == {"ana", "ben"}
    assert down(world, keep_volumes=True).clean
    assert released(down(world, members=["ana"])) == {"volumes": 1}
    assert released(down(world)) == {"volumes": 1}
    assert volumes(world) == []


def test_a_kill_after_the_volumes_were_kept_loses_none(world: World) -> None:
    report = launched(world, "[ana]")

    def die(event: Event) -> None:
        if event.step == "terminate":
            raise KeyboardInterrupt

    context = dataclasses.replace(world.context, on_event=die)
    with pytest.raises(KeyboardInterrupt):
        apply_down(context, prepare_down(context, "workshop", keep_volumes=True))
    world.served.ec2.terminate_instances(InstanceIds=[str(report.environments[0].instance_id)])
    world.context.interrupted.clear()
    assert len(down(world, keep_volumes=True).kept) == 1
    assert [volume["State"] for volume in volumes(world)] == ["available"]


def test_an_instance_whose_volume_cannot_be_kept_is_not_terminated(world: World) -> None:
    launched(world, "[ana]")
    world.served.cloud.faults.add("deny", action="ec2:ModifyInstanceAttribute")
    receipt = down(world, keep_volumes=True, deadline=2)
    assert world.states() == ["running"]
    assert remaining(receipt) == {"instances": 1, "network_interfaces": 1, "security_groups": 1}
    assert "ModifyInstanceAttribute" in receipt.left[0].reason


def test_a_protected_instance_is_told_and_the_rest_goes(world: World) -> None:
    report = launched(world)
    protected = str(report.environments[1].instance_id)
    world.served.ec2.modify_instance_attribute(
        InstanceId=protected, DisableApiTermination={"Value": True}
    )
    receipt = down(world, deadline=5)
    assert world.states() == ["running", "terminated", "terminated"]
    assert remaining(receipt) == {
        "instances": 1,
        "volumes": 1,
        "network_interfaces": 1,
        "security_groups": 1,
    }
    left = {one.kind: one for one in receipt.left}
    assert left["instances"].reason == "termination protection is on"
    assert "--no-disable-api-termination" in left["instances"].command
    assert left["instances"].monthly_usd == (Decimal("1.006") + Decimal("0.005")) * 720
    assert left["volumes"].reason == f"attached to instance {protected}, which stays"
    assert left["volumes"].monthly_usd == pytest.approx(Decimal(8))
    assert protected in left["security_groups"].reason
    world.served.ec2.modify_instance_attribute(
        InstanceId=protected, DisableApiTermination={"Value": False}
    )
    assert down(world).clean


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("ec2:DeleteKeyPair", "key_pairs"),
        ("ec2:DeleteLaunchTemplate", "launch_templates"),
        ("ec2:DeleteSecurityGroup", "security_groups"),
    ],
)
def test_a_permission_that_is_missing_stops_nothing_else(
    world: World, action: str, kind: str
) -> None:
    launched(world, "[ana]")
    world.served.cloud.faults.add("deny", action=action)
    receipt = down(world)
    assert remaining(receipt) == {kind: 1}
    assert receipt.left[0].reason.startswith("this identity may not call Delete")
    world.served.cloud.faults.clear()
    assert released(down(world)) == {kind: 1}


def test_a_kind_that_may_not_be_looked_at_is_not_called_gone(world: World) -> None:
    launched(world, "[ana]")
    world.served.cloud.faults.add("deny", action="ec2:DescribeSnapshots")
    receipt = down(world)
    assert (receipt.clean, list(receipt.unread or ())) == (False, ["snapshots"])
    assert remaining(receipt) == {}


def test_a_foreign_instance_on_the_group_is_untouched_and_named(world: World) -> None:
    launched(world, "[ana]")
    plan = world.plan(members="[ana]")
    (group,) = plan.owned.security_groups
    made = world.served.ec2.run_instances(
        ImageId=plan.image.image_id,
        InstanceType="g5.xlarge",
        MinCount=1,
        MaxCount=1,
        SecurityGroupIds=[group.group_id],
    )
    foreign = made["Instances"][0]["InstanceId"]
    receipt = down(world)
    assert remaining(receipt) == {"security_groups": 1}
    (left,) = receipt.left
    assert left.reason.startswith(f"in use by instance {foreign} (eni-")
    assert left.command.endswith(f"delete-security-group --group-id {group.group_id}")
    assert world.states() == ["running", "terminated"]


def test_what_has_the_name_without_our_mark_is_untouched_and_told(world: World) -> None:
    foreign = world.served.ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=8,
        TagSpecifications=[{"ResourceType": "volume", "Tags": tag_list({tags.FLEET: "workshop"})}],
    )
    receipt = down(world)
    assert receipt.foreign == (("volumes", foreign["VolumeId"]),)
    assert len(volumes(world)) == 1


def test_a_fleet_that_is_half_gone(world: World) -> None:
    report = launched(world)
    ec2 = world.served.ec2
    ec2.terminate_instances(InstanceIds=[str(report.environments[0].instance_id)])
    ec2.get_waiter("instance_terminated").wait(
        InstanceIds=[str(report.environments[0].instance_id)],
        WaiterConfig={"Delay": 1, "MaxAttempts": 30},
    )
    ids = by_kind(prepare_down(world.context, "workshop").release)
    ec2.delete_key_pair(KeyPairId=ids["key_pairs"][0])
    ec2.delete_launch_template(LaunchTemplateId=ids["launch_templates"][0])
    world.served.client("ssm").delete_parameters(Names=list(ids["parameters"]))
    receipt = down(world)
    assert receipt.clean
    assert released(receipt) == {
        "instances": 2,
        "volumes": 2,
        "network_interfaces": 2,
        "security_groups": 1,
    }
    assert receipt.already_gone == (
        ("instances", str(report.environments[0].instance_id)),
        ("key_pairs", "fleet-workshop"),
        ("launch_templates", "fleet-workshop"),
        ("parameters", "/fleet/workshop"),
    )


def test_a_dependency_violation_is_waited_out(world: World) -> None:
    launched(world, "[ana]")
    world.served.cloud.faults.add("dependency-violation", delay="2s")
    receipt = down(world)
    assert receipt.clean
    assert any(e.step == "security group" and e.state == "running" for e in world.events)


def test_an_instance_that_is_not_visible_yet_is_waited_for(world: World) -> None:
    prerequisites = ensure_prerequisites(world.context, world.plan())
    world.served.cloud.faults.add("invisible", delay="2s")
    _launch(world, prerequisites.template.template_id, 2)
    plan = prepare_down(world.context, "workshop")
    assert not [r for r in plan.release if r.kind == "instances"]
    receipt = apply_down(world.context, plan)
    assert receipt.clean
    assert len(receipt.released["instances"]) == 2
    assert world.states() == ["terminated"] * 2


def test_spot_requests_are_cancelled(world: World) -> None:
    launched(world, "[ana]", instances="{types: [g5.xlarge], market: spot}")
    assert released(down(world))["spot_requests"] == 1
    found = world.served.ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert [request["State"] for request in found] == ["cancelled"]


def test_a_bake_that_did_not_end_leaves_nothing(world: World) -> None:
    report = launched(world, "[ana]")
    for name, status in (("left", "candidate"), ("good", tags.STABLE)):
        world.served.ec2.create_image(
            InstanceId=str(report.environments[0].instance_id),
            Name=name,
            NoReboot=True,
            TagSpecifications=[
                *own("image", **{tags.STATUS: status}),
                *own("snapshot"),
            ],
        )
    receipt = down(world)
    assert receipt.clean
    assert (len(receipt.released["images"]), len(receipt.released["snapshots"])) == (1, 1)
    images = world.served.ec2.describe_images(Owners=["self"])["Images"]
    assert [image["Name"] for image in images] == ["good"]


def test_an_interface_without_an_instance_goes(world: World) -> None:
    subnet = world.plan().pools[0].subnet_id
    world.served.ec2.create_network_interface(
        SubnetId=subnet, TagSpecifications=own("network-interface")
    )
    assert released(down(world)) == {"network_interfaces": 1}


def test_a_thousand_instances_take_few_calls(world: World) -> None:
    state = world.served.cloud.state
    state.quotas.put("L-1216C47A", 100_000, region="us-east-1")
    state.capacity.put(2000)
    prerequisites = ensure_prerequisites(world.context, world.plan())
    _launch(world, prerequisites.template.template_id, 1000)
    calls: Counter[str] = Counter()

    def called(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    world.context.aws.session.events.register("before-call", called)
    aws = Aws(world.context.aws.session, region="us-east-1")  # its clients are counted
    counted = World(world.served, dataclasses.replace(world.context, aws=aws), world.events)
    receipt = down(counted, deadline=300)
    assert receipt.clean
    assert len(receipt.released["instances"]) == 1000
    assert len(receipt.released["volumes"]) == 1000
    acting = {name: n for name, n in calls.items() if not name.startswith(("Describe", "Get"))}
    assert sum(acting.values()) <= 15, calls
    assert acting["TerminateInstances"] == 1
    polls = {name: n for name, n in calls.items() if name.startswith("Describe")}
    assert max(polls.values()) < 60, polls


def _launch(world: World, template_id: str, count: int) -> None:
    """Launch by the fleet's template in a call of our own, with the type that the quota is for."""
    made = world.served.ec2.create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[
            {
                "LaunchTemplateSpecification": {"LaunchTemplateId": template_id, "Version": "1"},
                "Overrides": [{"InstanceType": "m5.large"}],
            }
        ],
        TargetCapacitySpecification={
            "TotalTargetCapacity": count,
            "DefaultTargetCapacityType": "on-demand",
        },
    )
    assert sum(len(entry["InstanceIds"]) for entry in made["Instances"]) == count, made["Errors"]
