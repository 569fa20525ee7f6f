"""How many calls each answer takes, once prices are known. A call that nobody needs fails here."""

from __future__ import annotations

import pytest

from fleet.plan.facts.hardware import Market
from fleet.plan.images.listing import ImageQuery
from fleet.workflows.hardware.quotas import count_spec, count_types
from fleet.workflows.images.listing import list_images
from tests.workflows.calls import count_calls
from tests.workflows.conftest import World, spec

pytestmark = pytest.mark.slow

PLAN = {
    "GetCallerIdentity": 1,
    "DescribeImages": 1,
    "GetParameters": 1,
    "DescribeInstanceTypes": 1,
    "DescribeInstanceTypeOfferings": 1,
    "DescribeSubnets": 1,
    "DescribeRouteTables": 1,
    "DescribeInstances": 2,  # the fleet's, and what counts against the quotas
    "DescribeSecurityGroups": 1,
    "DescribeKeyPairs": 1,
    "DescribeLaunchTemplates": 1,
    "GetServiceQuota": 1,
}
RATES = 5


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (ImageQuery(), {"DescribeImages": 1}),
        (ImageQuery(framework="pytorch", include_deprecated=True), {"DescribeImages": 1}),
        (
            ImageQuery(framework="pytorch", instance_type="g5.xlarge"),
            {"DescribeImages": 1, "DescribeInstanceTypes": 1},
        ),
    ],
)
def test_images(world: World, query: ImageQuery, expected: dict[str, int]) -> None:
    calls = count_calls(world)
    assert list_images(world.context, query)
    assert calls == expected


def test_a_plan_asks_for_prices_once_a_day(world: World) -> None:
    calls = count_calls(world)
    world.plan()
    assert calls == PLAN | {"GetProducts": RATES + 1}
    calls.clear()
    world.plan()
    assert calls == PLAN


def test_a_plan_of_several_types_and_markets(world: World) -> None:
    types = "types: [g5.xlarge, g4dn.xlarge, p4d.24xlarge]"
    calls = count_calls(world)
    world.plan(instances=f"{{{types}}}")
    calls.clear()
    world.plan(instances=f"{{{types}, market: spot-first}}")
    # G in both markets, P On-Demand; of P as Spot the code of today and that of before
    request = {"GetServiceQuota": 5, "DescribeSpotPriceHistory": 1, "GetSpotPlacementScores": 1}
    assert calls == PLAN | request


def test_a_plan_with_an_image_by_id_asks_for_no_line(world: World) -> None:
    calls = count_calls(world)
    image = world.plan().image.image_id
    calls.clear()
    world.plan(image=f"{{id: {image}}}")
    assert calls == {name: count for name, count in PLAN.items() if name != "GetParameters"}


@pytest.mark.parametrize(
    ("types", "markets", "quotas"),
    [
        (("g5.xlarge",), ("on-demand",), 1),
        (("g5.xlarge", "g6.xlarge"), ("on-demand",), 1),
        (("g5.xlarge",), ("spot", "on-demand"), 2),
        (("g5.xlarge", "m6i.large"), ("on-demand",), 2),
        (("p5.48xlarge",), ("spot",), 2),
    ],
)
def test_quotas_of_types(
    world: World, types: tuple[str, ...], markets: tuple[Market, ...], quotas: int
) -> None:
    calls = count_calls(world)
    count_types(world.context, types, markets=markets, count=1)
    assert calls == {
        "DescribeInstanceTypes": 1, "DescribeInstances": 1, "GetServiceQuota": quotas,
    }  # fmt: skip


def test_quotas_of_a_spec(world: World) -> None:
    calls = count_calls(world)
    assert count_spec(world.context, spec()).report.fits
    assert calls == {
        "DescribeInstanceTypes": 1,
        "DescribeInstanceTypeOfferings": 1,
        "DescribeInstances": 2,
        "GetServiceQuota": 1,
    }
