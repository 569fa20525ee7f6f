"""Spot placement scores in a plan: by zone, and unknown rather than guessed."""

from __future__ import annotations

from fleet.plan.facts.hardware import PlacementFacts
from fleet.plan.launch.as_json import plan_as_json
from tests.plan.worlds import NOW, SPEC, observed, plan, spec

SPOT = spec(SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], market: spot-first"))


def test_pools_have_the_score_of_their_zone() -> None:
    made = plan(SPOT, observed(placement=PlacementFacts({"use1-az1": 3, "use1-az9": 9})))
    scores = {pool.availability_zone: pool.spot_score for pool in made.pools}
    assert scores == {"us-east-1a": None, "us-east-1b": 3}
    assert made.placement_notes == ("fewer than three instance types always score low",)
    told = plan_as_json(made, now=NOW)
    pools = told["pools"]
    assert isinstance(pools, list)
    assert {pool["spot_placement_score"] for pool in pools} == {None, 3}


def test_without_an_answer_the_plan_stands_and_says_so() -> None:
    denied = PlacementFacts(unread="this identity may not call GetSpotPlacementScores")
    made = plan(SPOT, observed(placement=denied))
    assert made.pools
    assert made.placement_notes == (f"Spot placement scores are unknown: {denied.unread}",)
    assert plan(SPOT).placement_notes == ("Spot placement scores are unknown: EC2 gives none",)


def test_on_demand_says_nothing_of_them() -> None:
    assert plan().placement_notes == ()
