"""Types as EC2 describes them, with few calls."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fleet.plan.hardware.estimate import parse_item
from fleet.plan.hardware.types import Needs
from fleet.spec.model import ImageSelector
from fleet.workflows.hardware.cost import estimate_cost
from fleet.workflows.hardware.types import find_types
from tests.workflows.calls import count_calls
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow


def test_types_with_gpus_take_one_page_of_each_kind(world: World) -> None:
    calls = count_calls(world)
    offers, notes = find_types(world.context, Needs())
    assert notes == ()
    found = {offer.fact.name: offer for offer in offers}
    assert found["g6f.large"].fact.gpu_share == Decimal("0.125")
    assert found["g4ad.xlarge"].fact.manufacturer == "AMD"
    assert found["dl1.24xlarge"].fact.manufacturer == "Habana"
    assert found["p5.48xlarge"].on_demand_usd == Decimal("55.04")
    assert all(offer.fact.gpus for offer in offers)
    priced = [offer.on_demand_usd for offer in offers if offer.on_demand_usd is not None]
    assert priced == sorted(priced)
    assert calls["DescribeInstanceTypes"] <= 3
    assert calls["DescribeInstanceTypeOfferings"] <= 2
    again = calls.copy()
    find_types(world.context, Needs())
    assert calls["GetProducts"] == again["GetProducts"], "prices are kept for a day"


def test_types_that_an_image_can_run_on_take_one_call_more(world: World) -> None:
    calls = count_calls(world)
    offers, notes = find_types(world.context, Needs(), image=ImageSelector(framework="pytorch"))
    families = {offer.fact.name.partition(".")[0] for offer in offers}
    assert {"g5", "g6", "g5g", "p5"} <= families
    assert not families & {"p2", "p3", "g3", "g4ad", "dl1", "g6f", "gr6f"}
    assert [note.split()[0] for note in notes] == ["held", "held"]
    assert calls["DescribeImages"] == 1
    alone = ImageSelector(id=notes[0].split()[2].rstrip(","))
    offers, notes = find_types(world.context, Needs(), image=alone)
    assert len(notes) == 1
    assert {each for offer in offers for each in offer.fact.architectures} == {"x86_64"}


def test_types_without_gpus(world: World) -> None:
    offers, _ = find_types(world.context, Needs(gpus=0, vcpus=8, memory_mib=65536))
    names = [offer.fact.name for offer in offers]
    assert "r5.2xlarge" in names
    assert "m5.large" not in names


def test_an_estimate_asks_once_for_each_kind_of_price(world: World) -> None:
    calls = count_calls(world)
    items = [parse_item("2xp2.xlarge:24h"), parse_item("1xm6i.large:720h")]
    found, notes = estimate_cost(world.context, items)
    assert found.usd == Decimal("112.32")
    assert found.spot_usd is not None
    assert notes == ()
    assert calls == {"GetProducts": 2, "DescribeSpotPriceHistory": 1}
    found, notes = estimate_cost(world.context, [parse_item("x9.large:1h")])
    assert found.usd is None
    assert notes == ("x9.large has no On-Demand price in us-east-1 that is known",)
