"""Types by need: what fits, in which order, and what is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from fleet.plan.facts.hardware import InstanceTypeFact, Market, Prices
from fleet.plan.hardware.types import Needs, Offer, choose_types, offer_as_json, unpriced
from tests.plan.worlds import NOW

X86, ARM = ("x86_64",), ("arm64",)
FACTS = {
    fact.name: fact
    for fact in (
        InstanceTypeFact("g5.xlarge", 4, 16384, X86, 1, "A10G", "NVIDIA", 22888),
        InstanceTypeFact("g5.12xlarge", 48, 196608, X86, 4, "A10G", "NVIDIA", 22888),
        InstanceTypeFact("g5g.xlarge", 4, 8192, ARM, 1, "T4g", "NVIDIA", 16384),
        InstanceTypeFact("g6f.large", 2, 8192, X86, 1, "L4", "NVIDIA", 2861, Decimal("0.125")),
        InstanceTypeFact("g4ad.xlarge", 4, 16384, X86, 1, "Radeon Pro V520", "AMD", 8192),
        InstanceTypeFact("p9.xlarge", 4, 16384, X86, 1, "X1", "NVIDIA", 98304),
        InstanceTypeFact("p8.xlarge", 4, 16384, X86, 1, "X0", "NVIDIA", 98304),
        InstanceTypeFact("m6i.large", 2, 8192, X86, 0, ""),
    )
}
OFFERINGS = {name: frozenset({"us-east-1b", "us-east-1a"}) for name in FACTS if name != "p8.xlarge"}
PRICES = Prices(
    {
        "g5.xlarge": Decimal("1.006"), "g5.12xlarge": Decimal("5.672"), "g5g.xlarge": Decimal("0.42"),
        "g6f.large": Decimal("0.202"), "g4ad.xlarge": Decimal("0.37853"), "m6i.large": Decimal("0.096"),
    },
    {
        ("g5.xlarge", "us-east-1a"): Decimal("0.40"), ("g5.xlarge", "us-east-1b"): Decimal("0.35"),
        ("g5.12xlarge", "us-east-1a"): Decimal("0.30"),
    },
)  # fmt: skip


def names(needs: Needs) -> list[str]:
    return [offer.fact.name for offer in choose_types(FACTS, OFFERINGS, PRICES, needs, now=NOW)]


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        (
            Needs(),
            ["g6f.large", "g4ad.xlarge", "g5g.xlarge", "g5.xlarge", "g5.12xlarge", "p9.xlarge"],
        ),
        (
            Needs(gpus=1, gpu_memory_mib=16384),
            ["g5g.xlarge", "g5.xlarge", "g5.12xlarge", "p9.xlarge"],
        ),
        (Needs(gpus=2), ["g5.12xlarge"]),
        (Needs(gpus=0), ["m6i.large"]),
        (Needs(architecture="arm64"), ["g5g.xlarge"]),
        (Needs(manufacturer="amd"), ["g4ad.xlarge"]),
        (Needs(vcpus=5), ["g5.12xlarge"]),
        (Needs(memory_mib=196608), ["g5.12xlarge"]),
        (Needs(max_price=Decimal("0.42")), ["g6f.large", "g4ad.xlarge", "g5g.xlarge"]),
        (Needs(market="spot", max_price=Decimal("0.40")), ["g5.12xlarge", "g5.xlarge"]),
        (Needs(gpu_memory_mib=200_000), []),
    ],
)
def test_types_by_need_cheapest_first(needs: Needs, found: list[str]) -> None:
    assert names(needs) == found


def test_the_lowest_spot_price_names_its_zone() -> None:
    (offer,) = choose_types(FACTS, OFFERINGS, PRICES, Needs(gpus=4), now=NOW)
    assert (offer.spot_usd, offer.spot_zone) == (Decimal("0.30"), "us-east-1a")
    told = offer_as_json(offer, "on-demand")
    assert told["availability_zones"] == ["us-east-1a", "us-east-1b"]
    assert told["spot_saving"] == pytest.approx(1 - 0.30 / 5.672)


def test_a_part_of_a_gpu_is_shown_as_one() -> None:
    first = choose_types(FACTS, OFFERINGS, PRICES, Needs(), now=NOW)[0]
    told = offer_as_json(first, "spot")
    assert (told["gpus"], told["gpu_share"], told["gpu_memory_mib"]) == (1, 0.125, 2861)


def test_a_price_that_is_not_known_comes_last_and_is_null() -> None:
    last = choose_types(FACTS, OFFERINGS, PRICES, Needs(), now=NOW)[-1]
    told = offer_as_json(last, "spot")
    assert (told["instance_type"], told["on_demand_usd"], told["spot_saving"]) == (
        "p9.xlarge",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("name", "market", "family", "codes"),
    [
        ("g5.xlarge", "on-demand", "G and VT", ["L-DB2E81BA"]),
        ("g5.xlarge", "spot", "G and VT", ["L-3819A6DF"]),
        ("p5.48xlarge", "spot", "P", ["L-C4BD4855", "L-7212CCBC"]),
        ("hpc7a.96xlarge", "spot", "HPC", []),
        ("new9.xlarge", "on-demand", None, []),
    ],
)
def test_the_quota_is_that_of_the_market(
    name: str, market: Market, family: str | None, codes: list[str]
) -> None:
    fact = InstanceTypeFact(name, 4, 16384, X86, 1, "")
    told = offer_as_json(Offer(fact, (), None, None, "", ""), market)
    assert (told["quota_family"], told["quota_codes"]) == (family, codes)


def test_a_highest_price_says_what_it_cannot_be_held_against() -> None:
    assert unpriced(FACTS, PRICES, Needs()) == ()
    asked = Needs(max_price=Decimal(1))
    assert unpriced(FACTS, PRICES, asked) == (
        "of what fits otherwise 2 left out: no On-Demand price known",
    )
    spot = Needs(max_price=Decimal(1), market="spot")
    assert unpriced({"g5.xlarge": FACTS["g5.xlarge"]}, PRICES, spot) == ()
    assert (
        "3 left out: no Spot price"
        in unpriced(
            {name: FACTS[name] for name in ("g5.xlarge", "p8.xlarge", "p9.xlarge", "g5g.xlarge")},
            PRICES,
            spot,
        )[0]
    )
