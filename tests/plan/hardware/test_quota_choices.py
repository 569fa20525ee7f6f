"""What quotas are counted for: the choices of a plan, without one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fleet.errors import FleetError
from fleet.plan.hardware.quota_choices import quota_choices
from fleet.plan.hardware.quotas import Choice
from tests.plan.worlds import SPEC, observed, plan, spec

EVERYWHERE = frozenset({"us-east-1a"})
PRICES = {"g5.xlarge": Decimal("1.006"), "g4dn.xlarge": Decimal("0.526")}


def choices(
    more: str = "",
    offered: tuple[str, ...] = ("g5.xlarge", "g4dn.xlarge"),
    prices: dict[str, Decimal] = PRICES,
) -> tuple[Choice, ...]:
    text = SPEC.replace("g4dn.xlarge]", f"g4dn.xlarge]{more}")
    return quota_choices(
        spec(text).instances,
        offerings=dict.fromkeys(offered, EVERYWHERE),
        on_demand=prices,
        region="us-east-1",
    )


def test_types_in_their_order_market_by_market() -> None:
    assert choices(", market: spot-first") == (
        ("g5.xlarge", "spot"),
        ("g4dn.xlarge", "spot"),
        ("g5.xlarge", "on-demand"),
        ("g4dn.xlarge", "on-demand"),
    )


def test_what_costs_too_much_or_is_not_offered_does_not_count() -> None:
    assert choices(", max_price: 0.6") == (("g4dn.xlarge", "on-demand"),)
    assert choices(offered=("g5.xlarge",)) == (("g5.xlarge", "on-demand"),)
    capped = choices(", max_price: 0.6, market: spot-first")
    assert capped[2:] == (("g4dn.xlarge", "on-demand"),), "Spot is capped by EC2"


@pytest.mark.parametrize(
    ("more", "offered", "prices", "message"),
    [
        ("", (), PRICES, "g5.xlarge and g4dn.xlarge: not offered in us-east-1"),
        (
            ", max_price: 0.1",
            ("g5.xlarge",),
            PRICES,
            "max_price 0.1 is below the price of every instance type",
        ),
        (
            ", max_price: 0.1",
            ("g5.xlarge",),
            {},
            "max_price 0.1 cannot be held: the On-Demand price of g5.xlarge is not known",
        ),
    ],
)
def test_where_nothing_is_left_it_says_why(
    more: str, offered: tuple[str, ...], prices: dict[str, Decimal], message: str
) -> None:
    with pytest.raises(FleetError, match=message):
        choices(more, offered, prices)


def test_a_plan_refuses_a_cap_in_the_same_words() -> None:
    capped = spec(SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], max_price: 0.1"))
    with pytest.raises(FleetError, match="is below the price of every instance type"):
        plan(capped)
    unknown = type(observed().prices)({}, {})
    with pytest.raises(FleetError, match=r"On-Demand price of g5\.xlarge and g4dn"):
        plan(capped, observed(prices=unknown))
