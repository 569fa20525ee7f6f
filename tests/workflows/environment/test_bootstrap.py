"""`fleet bootstrap` where it has nobody to work on: each is told with its remedy, and nothing is launched."""

from __future__ import annotations

import pytest

from fleet.errors import NothingFoundError
from fleet.workflows.environment.bootstrap import bootstrap_again
from tests.workflows.conftest import World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow


def test_who_was_never_reached_is_told_apart(world: World) -> None:
    launched(world)
    ids = world.served.ec2.describe_instances()["Reservations"]
    ben = next(
        instance["InstanceId"]
        for reservation in ids
        for instance in reservation["Instances"]
        if {"Key": "fleet:member", "Value": "ben"} in instance["Tags"]
    )
    world.served.ec2.stop_instances(InstanceIds=[ben])
    report = bootstrap_again(world.context, "workshop")
    said = {
        each.member: (each.state, each.reason.replace("stopping", "stopped"))
        for each in report.environments
    }
    kept = "keeps no bootstrap that this version can do again: run `fleet up` on its spec again"
    assert said == {
        "ana": ("failed", f"ana {kept}"),
        "ben": ("failed", "ben is stopped: run `fleet up` on its spec again"),
        "cyd": ("failed", f"cyd {kept}"),
    }
    assert len(world.states()) == 3


def test_one_member_alone(world: World) -> None:
    launched(world)
    report = bootstrap_again(world.context, "workshop", members=["cyd"])
    assert [each.member for each in report.environments] == ["cyd"]


def test_a_member_or_fleet_that_is_not_there(world: World) -> None:
    with pytest.raises(NothingFoundError, match="there is no fleet workshop"):
        bootstrap_again(world.context, "workshop")
    launched(world)
    with pytest.raises(NothingFoundError, match=r"has no member zoe.*it has ana, ben, cyd"):
        bootstrap_again(world.context, "workshop", members=["zoe"])
