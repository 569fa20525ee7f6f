"""Spot placement scores, asked for where Spot is wanted; a refusal leaves the plan standing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.documents import ApiError
from tests.workflows.calls import count_calls
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow

TYPES = "types: [g5.xlarge, g4dn.xlarge, g6.xlarge]"
Refuse = Callable[[str, str], None]


@pytest.fixture
def refuse(world: World) -> Iterator[Refuse]:
    """Make an action end with an error code."""
    checks = world.served.cloud.gate.checks
    before = list(checks)

    def start(action: str, code: str) -> None:
        def check(call: Call) -> ApiError | None:
            return ApiError(code, "no") if call.action == action else None

        checks.append(check)

    yield start
    checks[:] = before


def test_scores_come_with_the_zones_of_this_account(world: World) -> None:
    world.served.cloud.state.capacity.put(0, availability_zone="us-east-1b", market="spot")
    plan = world.plan(instances=f"{{{TYPES}, market: spot}}")
    scores = {pool.availability_zone: pool.spot_score for pool in plan.pools}
    assert scores.pop("us-east-1b") == 1
    assert set(scores.values()) == {10}
    assert plan.placement_notes == ()


def test_on_demand_asks_for_none(world: World) -> None:
    calls = count_calls(world)
    plan = world.plan(instances=f"{{{TYPES}}}")
    assert calls["GetSpotPlacementScores"] == calls["DescribeSpotPriceHistory"] == 0
    assert {pool.spot_score for pool in plan.pools} == {None}


@pytest.mark.parametrize(
    "code", ["UnauthorizedOperation", "UnsupportedOperation", "MaxConfigLimitExceeded"]
)
def test_a_refusal_leaves_the_plan_standing(world: World, refuse: Refuse, code: str) -> None:
    refuse("GetSpotPlacementScores", code)
    plan = world.plan(instances=f"{{{TYPES}, market: spot-first}}")
    assert {pool.spot_score for pool in plan.pools} == {None}
    (note,) = plan.placement_notes
    assert note.startswith("Spot placement scores are unknown: ")
    assert code in note
