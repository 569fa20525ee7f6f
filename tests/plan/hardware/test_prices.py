"""Dated prices: what a volume costs, when a figure is fresh, and what is said of one that is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fleet.assets.shipped import load_price_snapshot
from fleet.plan.facts.hardware import Figure, Prices
from fleet.plan.hardware.prices import (
    RATES,
    dated,
    fresh,
    instance_figure,
    known_prices,
    price_notes,
    unknown_notes,
    volume_hourly,
)
from fleet.spec.model import Volume

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
RATE = {
    name: figure.usd for name, figure in load_price_snapshot()["us-east-1"].items() if figure.usd
}


@pytest.mark.parametrize(
    ("volume", "month"),
    [
        (Volume(size_gib=100), "8.00"),
        (Volume(size_gib=100, iops=3000, throughput=125), "8.00"),
        (Volume(size_gib=100, iops=4000, throughput=250), "18.00"),
        (Volume(size_gib=100, type="gp2"), "10.00"),
        (Volume(size_gib=100, type="io1", iops=1000), "77.50"),
        (Volume(size_gib=1000, type="io2", iops=32000), "2205.00"),
        (Volume(size_gib=1000, type="io2", iops=70000), "3852.10"),
    ],
)
def test_a_month_of_a_volume(volume: Volume, month: str) -> None:
    hourly = volume_hourly(volume, RATE)
    assert hourly is not None
    assert round(hourly * 720, 6) == Decimal(month)


def test_a_rate_that_is_not_known_is_not_taken_for_zero() -> None:
    volume = Volume(size_gib=100, iops=4000)
    assert volume_hourly(volume, {"volume/gp3": Decimal("0.08")}) is None


def test_the_snapshot_has_every_rate_and_the_dated_prices_of_types() -> None:
    snapshot = load_price_snapshot()["us-east-1"]
    assert set(snapshot) >= RATES
    assert snapshot["instance/p5.48xlarge"].usd == Decimal("55.04")
    assert snapshot["instance/m6i.large"].at == datetime(2026, 7, 20, tzinfo=UTC)
    assert all(figure.snapshot and figure.usd for figure in snapshot.values())


def test_a_figure_is_fresh_for_a_day() -> None:
    assert fresh(Figure(None, NOW - timedelta(hours=23)), NOW)
    assert not fresh(Figure(Decimal(1), NOW - timedelta(hours=24)), NOW)
    assert not fresh(Figure(Decimal(1), NOW + timedelta(hours=1)), NOW), "the clock was wrong once"
    assert not fresh(None, NOW)
    assert not fresh(Figure(Decimal(1), NOW, snapshot=True), NOW)


def test_age_is_told_past_an_hour_and_the_date_of_the_snapshot_always() -> None:
    assert dated(Figure(Decimal(1), NOW - timedelta(minutes=59)), NOW) == ""
    assert dated(Figure(Decimal(1), NOW - timedelta(minutes=125)), NOW) == "read 2 h ago"
    assert dated(Figure(Decimal(1), NOW, snapshot=True), NOW) == "of 2026-11-21"


def test_notes_name_what_failed_and_the_dates() -> None:
    old = datetime(2026, 7, 20, tzinfo=UTC)
    figures = {
        instance_figure("g5.xlarge"): Figure(Decimal("1.006"), old, snapshot=True),
        "address": Figure(Decimal("0.005"), NOW - timedelta(hours=30)),
    }
    prices = known_prices(figures, {}, trouble="AWS does not answer")
    assert price_notes(prices, figures, now=NOW) == (
        "no prices from the Price List: AWS does not answer",
        "prices of 2026-07-20, from the snapshot that ships with fleet",
        "On-Demand prices read 30 h ago",
    )
    assert prices.on_demand == {"g5.xlarge": Decimal("1.006")}
    assert prices.rates == {"address": Decimal("0.005")}


def test_a_price_that_nobody_knows_is_told_by_its_market() -> None:
    prices = Prices({"g5.xlarge": Decimal(1)}, {("g6.xlarge", "us-east-1a"): Decimal(1)})
    types = ["g5.xlarge", "g5.xlarge", "g6.xlarge", "p9.xlarge"]
    assert unknown_notes(types, ["spot", "on-demand"], prices) == (
        "no Spot price of g5.xlarge and p9.xlarge is known",
        "no On-Demand price of g6.xlarge and p9.xlarge is known",
    )
    assert unknown_notes(["g5.xlarge"], ["on-demand"], prices) == ()
