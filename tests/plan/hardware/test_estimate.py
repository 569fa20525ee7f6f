"""Estimates to the cent, and items that are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fleet.assets.shipped import load_price_snapshot
from fleet.errors import UsageError
from fleet.plan.hardware.estimate import Estimate, Item, estimate, estimate_as_json, parse_item
from fleet.plan.hardware.prices import known_prices

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SPOT = {
    ("g5.xlarge", "us-east-1a"): Decimal("0.40"),
    ("g5.xlarge", "us-east-1b"): Decimal("0.30"),
}
PRICES = known_prices(load_price_snapshot()["us-east-1"], SPOT)


def priced(text: str) -> Estimate:
    items = [parse_item(item) for item in text.split()]
    return estimate(items, PRICES, region="us-east-1", now=NOW)


@pytest.mark.parametrize(
    ("items", "usd"),
    [
        ("p2.xlarge:720h", "648.00"),
        ("p2.8xlarge:720h", "5184.00"),
        ("2xp2.xlarge:24h 1xm6i.large:720h", "112.32"),
        ("2xp2.xlarge:24h:spot=60% 1xm6i.large:720h", "86.40"),
        ("3xg5.xlarge:1h30m:spot", "1.35"),
        ("g5.xlarge:1h:spot=0%", "1.006"),
        ("g5.xlarge:1h:spot=12.5%", "0.88025"),
    ],
)
def test_sums_to_the_cent(items: str, usd: str) -> None:
    assert priced(items).usd == Decimal(usd)


def test_on_demand_against_spot() -> None:
    found = priced("10xg5.xlarge:10h:spot 2xp2.xlarge:24h:spot=60%")
    assert found.on_demand_usd == Decimal("143.80")
    assert found.spot_usd == Decimal("47.28")
    assert [line.date for line in found.lines] == ["of 2026-07-20", "of 2026-07-20"]
    told = estimate_as_json(found, ["a note"])
    assert (told["usd"], told["on_demand_usd"], told["notes"]) == (47.28, 143.8, ["a note"])


def test_what_is_unknown_makes_its_sum_unknown_and_no_other() -> None:
    found = priced("p2.xlarge:1h g5.xlarge:1h")
    assert found.usd == Decimal("1.906")
    assert found.spot_usd is None, "p2 has no Spot price here"
    assert priced("x99.large:1h g5.xlarge:1h").usd is None


def test_the_parts_of_an_item() -> None:
    assert parse_item("20xx2gd.metal:2d:spot=60%") == Item(
        "20xx2gd.metal:2d:spot=60%", 20, "x2gd.metal", timedelta(days=2), "spot", Decimal("0.6")
    )
    assert parse_item("u-6tb1.56xlarge:90m").duration == timedelta(minutes=90)


@pytest.mark.parametrize(
    "text",
    [
        "", "p2.xlarge", "p2.xlarge:", "p2.xlarge:24", "0xp2.xlarge:1h", "-1xp2.xlarge:1h", "p2:1h",
        "p2.xlarge:0h", "p2.xlarge:1h:spot=101%", "p2.xlarge:1h:spot=60", "p2.xlarge:1h:Spot",
        "2 x p2.xlarge:1h", "p2.xlarge:1h:od", "\N{BELL}", "p2.xlarge:h",
    ],
)  # fmt: skip
def test_bad_items_are_one_line_with_the_remedy(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse_item(text)
    assert "\n" not in str(refused.value)
    assert refused.value.remedy
