"""Spot placement scores: between 1 and 10, by what pools have room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sandbox.cloud.recording import Served

THREE = ["g5.xlarge", "g4dn.xlarge", "g6.xlarge"]


@pytest.fixture(autouse=True)
def _capacity(served: Served) -> Iterator[None]:
    yield
    served.cloud.state.capacity.clear()


def scores(served: Served, types: list[str], target: int = 20) -> dict[str, int]:
    """Scores by Availability Zone, by its name."""
    zones = served.ec2.describe_availability_zones()["AvailabilityZones"]
    names = {zone["ZoneId"]: zone["ZoneName"] for zone in zones}
    answer = served.ec2.get_spot_placement_scores(
        InstanceTypes=types,
        TargetCapacity=target,
        SingleAvailabilityZone=True,
        RegionNames=["us-east-1"],
    )["SpotPlacementScores"]
    assert {score["Region"] for score in answer} == {"us-east-1"}
    assert [score["Score"] for score in answer] == sorted(
        (score["Score"] for score in answer), reverse=True
    )
    return {names[score["AvailabilityZoneId"]]: score["Score"] for score in answer}


def test_pools_with_more_capacity_score_higher(served: Served) -> None:
    assert set(scores(served, THREE).values()) == {10}
    capacity = served.cloud.state.capacity
    capacity.put(0, availability_zone="us-east-1a", market="spot")
    capacity.put(7, availability_zone="us-east-1b", market="spot")
    capacity.put(0, availability_zone="us-east-1c", market="on-demand")
    found = scores(served, THREE)
    assert found["us-east-1a"] == 1
    assert 1 < found["us-east-1b"] < 10
    assert found["us-east-1c"] == 10, "On-Demand has pools of its own"
    assert scores(served, THREE, target=5)["us-east-1b"] > found["us-east-1b"]


def test_fewer_than_three_types_score_low(served: Served) -> None:
    assert set(scores(served, THREE[:2], target=1).values()) == {3}
    assert set(scores(served, [THREE[0]] * 3, target=1).values()) == {3}
    assert set(scores(served, THREE, target=1).values()) == {10}


def test_a_region_as_a_whole(served: Served) -> None:
    asked: dict[str, Any] = {"InstanceTypes": THREE, "TargetCapacity": 20}
    (here,) = served.ec2.get_spot_placement_scores(**asked)["SpotPlacementScores"]
    assert (here["Region"], here["Score"]) == ("us-east-1", 10)
    assert "AvailabilityZoneId" not in here
    both = served.ec2.get_spot_placement_scores(RegionNames=["us-east-1", "eu-west-1"], **asked)
    assert {score["Region"] for score in both["SpotPlacementScores"]} == {"us-east-1", "eu-west-1"}


def test_what_ec2_refuses(served: Served) -> None:
    ask = served.ec2.get_spot_placement_scores
    refused("InvalidParameterValue", ask, InstanceTypes=["g5.huge"], TargetCapacity=1)
    refused("UnsupportedOperation", ask, TargetCapacity=1)
    refused("DryRunOperation", ask, InstanceTypes=THREE, TargetCapacity=1, DryRun=True)
