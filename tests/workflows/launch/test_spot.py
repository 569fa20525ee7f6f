"""A Spot notice, as `up`, `status`, `ssh-config`, `exec` and `down` see it while the instance still runs."""

from __future__ import annotations

import pytest

from fleet.plan import tags
from fleet.workflows.environment.openssh import ssh_command
from fleet.workflows.environment.status import describe_fleet, live_instances
from fleet.workflows.handout.logins import describe_logins
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.secrets import describe_secrets, keep_generations
from tests.workflows.calls import count_calls
from tests.workflows.conftest import World
from tests.workflows.fleets import down, launched

pytestmark = pytest.mark.slow

SPOT = {"instances": "{types: [g5.xlarge], market: spot}", "members": "[ana, ben]"}


def ids(world: World) -> dict[str, list[str]]:
    """The instances that run, by member."""
    found: dict[str, list[str]] = {}
    for one in world.plan(**SPOT).owned.instances:
        if one.live:
            found.setdefault(one.member or "-", []).append(one.instance_id)
    return found


def test_up_replaces_at_once_under_the_same_name_and_generation(world: World) -> None:
    first = {e.member: e.instance_id for e in launched(world, **SPOT).environments}
    generations = describe_secrets(world.context, "workshop").generations
    keep_generations(world.context, "workshop", generations.raised(3, ["ana"]))
    world.served.cloud.faults.add("spot-interruption", member="ana", notice="1h")
    plan = world.plan(**SPOT)
    assert [member.name for member in plan.members.launch] == ["ana"]
    assert [a.member.name for a in plan.members.keep] == ["ben"]
    report = apply_up(world.context, plan)
    assert [e.member for e in report.environments] == ["ana", "ben"]
    assert report.environments[0].instance_id not in first.values()
    assert report.environments[1].instance_id == first["ben"]
    assert {member: len(them) for member, them in ids(world).items()} == {"ana": 2, "ben": 1}
    assert world.plan(**SPOT).changes_nothing, "a second run adds nobody"
    (stays,) = [i for i in live_instances(world.context, "workshop") if i.member == "ana"]
    assert stays.tags[tags.TOKEN_GENERATION] == "3"
    assert (stays.instance_id, stays.market) == (report.environments[0].instance_id, "spot")


@pytest.mark.parametrize("cause", ["capacity", "price"])
def test_status_tells_it_and_counts_nobody_twice(world: World, cause: str) -> None:
    launched(world, **SPOT)
    world.served.cloud.faults.add("spot-interruption", member="ana", notice="1h", cause=cause)
    alone = describe_fleet(world.context, "workshop")
    ana = next(e for e in alone.environments if e.member == "ana")
    assert (ana.state, ana.jupyter_url) == ("leaving", None)
    assert ana.reason.startswith("EC2 takes it back at about ")
    assert ana.reason.endswith(": `fleet up` replaces it")
    assert ana in alone.current.environments, "there is nobody else yet"
    apply_up(world.context, world.plan(**SPOT))
    both = describe_fleet(world.context, "workshop")
    assert sorted(e.member or "" for e in both.environments) == ["ana", "ana", "ben"]
    assert sorted(e.member or "" for e in both.current.environments) == ["ana", "ben"]
    (going,) = [e for e in both.environments if e.state == "leaving"]
    assert going.reason.endswith(" stands in")


def test_logins_lead_to_the_one_that_stays(world: World) -> None:
    launched(world, **SPOT)
    for instance in ids(world)["ana"] + ids(world)["ben"]:
        record_host_key(world, instance)
    (going,) = ids(world)["ana"]
    world.served.cloud.faults.add("spot-interruption", member="ana", notice="1h")
    assert login(world, "ana") == going, "as long as there is nobody else, work can be saved"
    apply_up(world.context, world.plan(**SPOT))
    (stays,) = [i for i in ids(world)["ana"] if i != going]
    record_host_key(world, stays)
    assert login(world, "ana") == stays
    assert f"known_hosts-{stays}" in " ".join(ssh_command(world.context, "workshop", "ana"))


def record_host_key(world: World, instance: str) -> None:
    key = {"Key": tags.HOST_KEY, "Value": "ssh-ed25519 AAAA"}
    world.served.ec2.create_tags(Resources=[instance], Tags=[key])  # type: ignore[list-item]


def login(world: World, member: str) -> str:
    (found,) = [one for one in describe_logins(world.context, "workshop").logins if one.member == member]  # fmt: skip
    return found.instance_id


def test_down_takes_both(world: World) -> None:
    launched(world, **SPOT)
    world.served.cloud.faults.add("spot-interruption", member="ana", notice="1h")
    apply_up(world.context, world.plan(**SPOT))
    receipt = down(world, members=["ana"])
    assert len(receipt.released["instances"]) == 2
    assert world.states() == ["running", "terminated", "terminated"]
    assert down(world).clean


def test_one_that_was_reclaimed_unseen_is_replaced(world: World) -> None:
    first = launched(world, **SPOT)
    world.served.cloud.faults.add("spot-interruption", member="ben", notice="0s")
    gone = str(first.environments[1].instance_id)
    world.served.ec2.get_waiter("instance_terminated").wait(
        InstanceIds=[gone], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    plan = world.plan(**SPOT)
    assert [member.name for member in plan.members.launch] == ["ben"]
    (ended,) = [i for i in plan.owned.instances if i.instance_id == gone]
    assert (ended.state_reason_code, ended.leaving) == ("Server.SpotInstanceTermination", False)
    again = apply_up(world.context, plan)
    assert again.environments[1].instance_id != gone


def test_the_status_is_asked_for_once_and_only_of_spot(world: World) -> None:
    calls = count_calls(world)
    launched(world, "[ana, ben]")
    calls.clear()
    live_instances(world.context, "workshop")
    assert calls == {"DescribeInstances": 1}
    down(world)
    launched(world, **SPOT)
    calls.clear()
    live_instances(world.context, "workshop")
    assert calls == {"DescribeInstances": 1, "DescribeSpotInstanceRequests": 1}
