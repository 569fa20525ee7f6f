"""What a doctor makes of what was observed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleet.plan.account.doctor import (
    Finding,
    healthy,
    judge_clock,
    judge_limits,
    judge_subnets,
    untried,
)
from fleet.plan.facts.network import SubnetFact

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def judged(seconds: float, *, took: float = 0.4) -> Finding:
    """This machine's clock is so many seconds ahead of AWS's; asking took a moment."""
    before = NOON + timedelta(seconds=seconds)
    return judge_clock(before, NOON, before + timedelta(seconds=took))


@pytest.mark.parametrize("seconds", [0, 0.9, -0.4])
def test_a_clock_that_agrees(seconds: float) -> None:
    assert judged(seconds) == Finding("clock", "ok", "agrees with AWS's to the second")


@pytest.mark.parametrize(("seconds", "where"), [(60, "ahead of"), (-60, "behind")])
def test_a_clock_that_aws_still_takes(seconds: float, where: str) -> None:
    found = judged(seconds)
    assert found.state == "ok"
    assert where in found.detail


@pytest.mark.parametrize("seconds", [302, -302, 86400])
def test_a_clock_that_aws_refuses_comes_with_its_remedy(seconds: float) -> None:
    found = judged(seconds)
    assert found.state == "failed"
    assert "timedatectl" in found.remedy


def test_a_slow_answer_is_no_skew() -> None:
    assert judged(-20, took=30).detail == "agrees with AWS's to the second"


def test_a_region_without_default_vpc() -> None:
    found = judge_subnets([], default=True, region="eu-west-1")
    assert (found.state, "create-default-vpc" in found.remedy) == ("failed", True)
    assert "access.vpc" in judge_subnets([], default=False, region="eu-west-1").remedy


def test_subnets_that_are_full() -> None:
    full = SubnetFact("subnet-1", "vpc-1", "eu-west-1a", 0)
    room = SubnetFact("subnet-2", "vpc-1", "eu-west-1b", 4)
    assert judge_subnets([full], default=True, region="eu-west-1").state == "failed"
    found = judge_subnets([full, room], default=True, region="eu-west-1")
    assert found.state == "ok"
    assert "eu-west-1b (4 free)" in found.detail


def test_a_quota_of_nothing_names_its_code_and_the_way_to_more() -> None:
    names = {"L-1": "On-Demand G", "L-2": "Spot G", "L-3": "On-Demand P"}
    enough, nothing, unknown = judge_limits({"L-1": 8, "L-2": 0, "L-3": None}, names)
    assert enough == Finding("quota", "ok", "On-Demand G (L-1): 8 vCPUs")
    assert (nothing.state, unknown.state) == ("failed", "failed")
    assert "L-2" in nothing.remedy


def test_what_was_not_tried_is_named_and_is_no_failure() -> None:
    found = untried(["ec2:A", "ec2:B"], ["ec2:A"])
    assert found.detail.endswith(": ec2:B")
    assert healthy([found])
    assert not healthy([found, Finding("x", "failed", "y")])
