"""Prices as they are read: asked once a day, told with their date when the Price List is silent."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from fleet.aws.clients import Aws
from fleet.plan.hardware.prices import RATES, instance_figure
from fleet.workflows.hardware.prices import read_figures
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow

G5 = instance_figure("g5.xlarge")
NOWHERE = "http://127.0.0.1:9"


def _unreachable(world: World, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The same region, with a Price List where nobody listens."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", NOWHERE)
    return Aws(world.context.aws.session, region="us-east-1")


def test_prices_are_read_once_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    figures, trouble = read_figures(world.context, types=["g5.xlarge"], rates=True)
    assert trouble == ""
    assert figures[G5].usd == Decimal("1.006")
    assert figures["volume/gp3"].usd == Decimal("0.08")
    assert figures["throughput/gp3"].usd == Decimal("0.04")
    assert figures["address"].usd == Decimal("0.005")
    assert set(figures) == {G5, *RATES}
    (kept,) = (world.context.settings.cache_root / "prices").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    again = dataclasses.replace(world.context, aws=_unreachable(world, monkeypatch))
    assert read_figures(again, types=["g5.xlarge"], rates=True) == (figures, "")
    late = dataclasses.replace(again, now=lambda: datetime.now(UTC) + timedelta(hours=30))
    old, trouble = read_figures(late, types=["g5.xlarge"])
    assert old == {G5: figures[G5]}, "an old price of this region is better than the snapshot"
    assert trouble.startswith("AWS does not answer")


def test_a_price_that_the_list_lacks_is_unknown_and_not_asked_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures, _ = read_figures(world.context, types=["dl2q.24xlarge"])
    assert figures[instance_figure("dl2q.24xlarge")].usd is None
    again = dataclasses.replace(world.context, aws=_unreachable(world, monkeypatch))
    assert read_figures(again, types=["dl2q.24xlarge"]) == (figures, "")


def test_many_types_are_read_in_one_go(world: World) -> None:
    names = [f"m5.{size}" for size in ("large", "xlarge")]
    names += [f"g5.{n}xlarge" for n in (2, 4, 8, 12, 16, 24, 48)]
    names += [f"g6.{n}xlarge" for n in (2, 4, 8, 12, 16)]
    figures, _ = read_figures(world.context, types=names)
    assert figures[instance_figure("g5.12xlarge")].usd == Decimal("5.672")
    assert len(figures) == len(names)


def test_the_snapshot_stands_in_for_its_region_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws = _unreachable(world, monkeypatch)
    here = dataclasses.replace(world.context, aws=aws)
    figures, trouble = read_figures(here, types=["g5.xlarge"])
    assert figures[G5].snapshot
    assert figures[G5].at.date().isoformat() == "2026-07-20"
    assert trouble
    there = dataclasses.replace(here, aws=Aws(aws.session, region="eu-west-1"))
    assert read_figures(there, types=["g5.xlarge"])[0] == {}


def test_a_plan_from_the_snapshot_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    there = World(
        world.served, dataclasses.replace(world.context, aws=_unreachable(world, monkeypatch))
    )
    plan = there.plan()
    assert plan.cost.instances == 3 * Decimal("1.006")
    assert plan.price_notes[0].startswith("no prices from the Price List: AWS does not answer")
    assert "2026-07-20" in plan.price_notes[1]


def test_a_cache_that_was_spoilt_is_read_anew(world: World) -> None:
    path = world.context.settings.cache_root / "prices" / "us-east-1.json"
    path.parent.mkdir()
    for text in ("{", "[]", '{"address": 1}', '{"address": ["x", "2026-11-21T00:00:00Z"]}'):
        path.write_text(text)
        assert read_figures(world.context, types=["g5.xlarge"])[0][G5].usd == Decimal("1.006")
