"""Types by need in a spec: which are taken, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.hardware.needs import describe_needs, needs_of, spec_with_types
from fleet.plan.hardware.types import Offer
from fleet.spec.model import FleetSpec
from tests.spec.cases import PLAIN, load_text


def spec(instances: str) -> FleetSpec:
    return load_text(PLAIN.replace("{types: [g5.xlarge]}", instances))


def offer(name: str, on_demand: str | None, spot: str | None = None) -> Offer:
    fact = InstanceTypeFact(name, 4, 16384, ("x86_64",), 1, "T4", "NVIDIA", 16384)
    dear, cheap = (None if text is None else Decimal(text) for text in (on_demand, spot))
    return Offer(fact, ("us-east-1a",), dear, cheap, "us-east-1a", "")


def taken(instances: str, offers: list[Offer]) -> tuple[str, ...]:
    return spec_with_types(spec(instances), offers, region="us-east-1").instances.types


OFFERS = [offer("a.xlarge", "0.50", "0.20"), offer("b.xlarge", "1.00"), offer("c.48xlarge", "9")]


def test_a_fallback_costs_twice_the_cheapest_at_most() -> None:
    assert taken("{gpus: 1}", OFFERS) == ("a.xlarge", "b.xlarge")


def test_a_highest_price_takes_the_place_of_that_rule() -> None:
    assert taken("{gpus: 1, max_price: 9}", OFFERS) == ("a.xlarge", "b.xlarge", "c.48xlarge")


def test_the_first_market_decides_whose_price() -> None:
    assert taken("{gpus: 1, market: spot-first}", OFFERS) == ("a.xlarge",)


def test_eight_types_at_most() -> None:
    many = [offer(f"g{n}.xlarge", "1") for n in range(20)]
    assert taken("{gpus: 1}", many) == tuple(f"g{n}.xlarge" for n in range(8))


def test_nothing_that_fits() -> None:
    with pytest.raises(
        NotFoundError, match=r"us-east-1 has 2 GPUs of 40 GiB, 8 vCPUs, at most 0.1 USD"
    ):
        taken("{gpus: 2, gpu_memory: 40GiB, vcpus: 8, max_price: 0.1}", [])


def test_nothing_is_chosen_by_price_where_no_price_is_known() -> None:
    with pytest.raises(FleetError, match=r"no price of it.*types: \[x\.large\]"):
        taken("{gpus: 1}", [offer("x.large", None)])


def test_what_is_asked_of_ec2() -> None:
    needs = needs_of(spec("{gpu_memory: 16GiB, memory: 1TiB, market: spot}"))
    assert (needs.gpus, needs.gpu_memory_mib, needs.memory_mib) == (1, 16384, 1048576)
    assert (needs.market, needs.architecture, needs.manufacturer) == ("spot", "x86_64", "nvidia")


def test_an_image_that_is_named_brings_its_own_architecture() -> None:
    by_id = spec("{gpus: 1}").model_copy(
        update={
            "image": spec("{gpus: 1}").image.model_copy(update={"framework": None, "name": "x"})
        }
    )
    assert needs_of(by_id).architecture is None


def test_the_digest_stays_when_other_types_get_cheaper() -> None:
    wanted = spec("{gpus: 1}")
    filled = spec_with_types(wanted, OFFERS, region="us-east-1")
    assert filled.digest() == wanted.digest()
    assert spec("{gpus: 2}").digest() != wanted.digest()


def test_needs_in_words() -> None:
    assert describe_needs(spec("{memory: 32GiB}").instances) == "1 GPU, 32 GiB of memory"
    cheap = replace(OFFERS[0], on_demand_usd=None)
    assert taken("{gpus: 1}", [cheap, *OFFERS[1:]]) == ("b.xlarge",)
