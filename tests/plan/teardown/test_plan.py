"""What a teardown takes, keeps and leaves alone, and what is left with its price and command."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fleet.errors import NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.hardware import Prices
from fleet.plan.teardown.leftovers import PROTECTED, leftover, monthly_usd, removal_command
from fleet.plan.teardown.plan import plan_teardown, terminate_batches
from fleet.plan.teardown.resources import KINDS, Inventory, Resource, releasable, with_instance_tags

OURS = tags.fleet_tags("room")
RATES = {
    "volume/gp3": Decimal("0.08"),
    "iops/gp3": Decimal("0.005"),
    "throughput/gp3": Decimal("0.04"),
    "address": Decimal("0.005"),
    "snapshot": Decimal("0.05"),
}
PRICES = Prices({"g5.xlarge": Decimal("1.006")}, {}, rates=RATES)
INSTANCE = Resource(
    "instances",
    "i-1",
    {**OURS, tags.MEMBER: "ana"},
    state="running",
    detail="g5.xlarge",
    public_address=True,
)
VOLUME = Resource(
    "volumes", "vol-1", OURS, state="in-use", instance_id="i-1", detail="gp3", size_gib=100
)
GROUP = Resource("security_groups", "sg-1", OURS)


def inventory(*resources: Resource) -> Inventory:
    return Inventory(with_instance_tags(resources))


def test_only_what_has_our_mark_goes() -> None:
    foreign = Resource("instances", "i-9", {tags.FLEET: "room"}, state="running")
    plan = plan_teardown(inventory(INSTANCE, GROUP, foreign), fleet="room", region="r")
    assert [r.resource_id for r in plan.release] == ["i-1", "sg-1"]
    assert [r.resource_id for r in plan.foreign] == ["i-9"]


def test_a_member_takes_what_is_attached_and_leaves_what_is_shared() -> None:
    found = inventory(INSTANCE, VOLUME, GROUP)
    plan = plan_teardown(found, fleet="room", region="r", members=["ana"])
    assert [r.resource_id for r in plan.release] == ["i-1", "vol-1"]
    kept = plan_teardown(found, fleet="room", region="r", members=["ana"], keep_volumes=True)
    assert [r.resource_id for r in kept.release] == ["i-1"]
    assert [r.resource_id for r in kept.keep] == ["vol-1"]


def test_an_unknown_member_is_told_with_near_names() -> None:
    with pytest.raises(NothingFoundError, match="no member anna: did you mean ana"):
        plan_teardown(inventory(INSTANCE), fleet="room", region="r", members=["anna"])
    with pytest.raises(NothingFoundError, match="fleet status"):
        plan_teardown(inventory(INSTANCE), fleet="room", region="r", members=["zoe"])


def test_what_was_gone_already() -> None:
    ended = Resource("instances", "i-2", OURS, state="terminated")
    plan = plan_teardown(inventory(INSTANCE, ended, GROUP), fleet="room", region="r")
    assert plan.already_gone == (
        ("instances", "i-2"),
        ("key_pairs", "fleet-room"),
        ("launch_templates", "fleet-room"),
        ("parameters", "/fleet/room"),
    )
    over = plan_teardown(inventory(ended), fleet="room", region="r")
    assert (over.release, over.already_gone) == ((), (("instances", "i-2"),))


def test_spot_requests_without_tags_belong_to_their_instance() -> None:
    theirs = Resource("spot_requests", "sir-1", state="active", instance_id="i-1")
    nobodys = Resource("spot_requests", "sir-2", state="active", instance_id="i-77")
    found = inventory(INSTANCE, theirs, nobodys)
    assert [r.resource_id for r in releasable(found)] == ["i-1", "sir-1"]


def test_stable_images_and_their_snapshots_stay() -> None:
    stable = {**OURS, tags.STATUS: tags.STABLE}
    found = inventory(
        Resource("images", "ami-1", stable, snapshot_ids=("snap-1",)),
        Resource("snapshots", "snap-1", OURS, size_gib=100),
        Resource("images", "ami-2", {**OURS, tags.STATUS: "candidate"}, snapshot_ids=("snap-2",)),
        Resource("snapshots", "snap-2", OURS, size_gib=100),
    )
    assert [r.resource_id for r in releasable(found)] == ["ami-2", "snap-2"]


@pytest.mark.parametrize(
    ("count", "batches"),
    [
        (0, []),
        (1, [(0.0, 1)]),
        (1000, [(0.0, 1000)]),
        (2500, [(0.0, 1000), (50.0, 1000), (25.0, 500)]),
    ],
)
def test_batches_keep_to_the_bucket(count: int, batches: list[tuple[float, int]]) -> None:
    ids = [f"i-{number}" for number in range(count)]
    found = list(terminate_batches(ids))
    assert [(wait, len(batch)) for wait, batch in found] == batches
    assert [one for _, batch in found for one in batch] == ids


def test_prices_a_month() -> None:
    assert monthly_usd(INSTANCE, PRICES) == (Decimal("1.006") + Decimal("0.005")) * 720
    assert monthly_usd(VOLUME, PRICES) == pytest.approx(Decimal(8))
    assert monthly_usd(Resource("snapshots", "s", size_gib=100), PRICES) == 5
    assert monthly_usd(GROUP, PRICES) == 0
    stopped = Resource("instances", "i-3", OURS, state="stopped", detail="g5.xlarge")
    assert monthly_usd(stopped, PRICES) == 0
    unknown = Resource("volumes", "vol-2", OURS, detail="st1", size_gib=100)
    assert monthly_usd(unknown, PRICES) is None
    priced = Resource("instances", "i-4", {**OURS, tags.HOURLY_USD: "0.5"}, state="running")
    assert monthly_usd(priced, PRICES) == 360


def test_a_command_for_every_kind() -> None:
    for kind in KINDS:
        command = removal_command(Resource(kind, "id-1"), region="us-east-1")
        assert command.startswith(("aws ec2 ", "aws ssm "))
        assert command.endswith(" id-1")
        assert " --region us-east-1 " in command
    left = leftover(INSTANCE, reason="", code=PROTECTED, prices=PRICES, region="us-east-1")
    unprotect, terminate = left.command.split(" && ")
    assert unprotect.endswith(
        "modify-instance-attribute --instance-id i-1 --no-disable-api-termination"
    )
    assert terminate == removal_command(INSTANCE, region="us-east-1")
    assert left.as_json()["reason"] is None
