"""What a launch asks for next, whatever EC2 answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.pools import Pool
from fleet.plan.launch.purchase import MOST_AGAIN, Ask, Purchase, Refusal, summarise
from fleet.plan.reactions import REACTIONS, reaction_to, zones_with_capacity

G5A, G5B, G4A = (
    Pool("g5.xlarge", "us-east-1a", "subnet-a", 0, None, None, spare_subnets=("subnet-a2",)),
    Pool("g5.xlarge", "us-east-1b", "subnet-b", 0, None, None),
    Pool("g4dn.xlarge", "us-east-1a", "subnet-a", 1, None, None, spare_subnets=("subnet-a2",)),
)
P3A = Pool("p3.2xlarge", "us-east-1a", "subnet-a", 2, None, None, spare_subnets=("subnet-a2",))
FULL = "InsufficientInstanceCapacity"


def purchase(
    count: int = 4, *, spot: bool = False, pools: tuple[Pool, ...] = (G5A, G5B, G4A)
) -> Purchase:
    markets: tuple[Market, ...] = ("spot", "on-demand") if spot else ("on-demand",)
    return Purchase(pools, markets, count, affordable=lambda pool, market: True)


def refused(code: str, *pools: Pool, message: str = "no") -> list[Refusal]:
    return [Refusal(code, message, p.instance_type, p.availability_zone) for p in pools]


def ask(buying: Purchase) -> Ask:
    found = buying.ask()
    assert found is not None
    return found


def test_a_full_answer_ends_it() -> None:
    buying = purchase()
    assert ask(buying) == Ask("on-demand", (G5A, G5B, G4A), 4)
    buying.take(ask(buying), 4, refused(FULL, G5A))
    assert buying.missing == 0
    assert buying.ask() is None
    assert not buying.may_come


def test_what_is_full_is_left_out_and_tried_again_later() -> None:
    buying = purchase()
    buying.take(ask(buying), 1, refused(FULL, G5A, G5B))
    assert ask(buying) == Ask("on-demand", (G4A,), 3)
    buying.take(ask(buying), 0, refused(FULL, G4A))
    assert buying.ask() is None
    assert buying.may_come
    buying.try_full_ones()
    assert ask(buying) == Ask("on-demand", (G5A, G5B, G4A), 3)


def test_the_next_market_comes_when_the_first_has_nothing_left() -> None:
    buying = purchase(spot=True)
    buying.take(ask(buying), 0, refused("SpotMaxPriceTooLow", G5A, G5B, G4A))
    assert ask(buying).market == "on-demand"
    buying.take(ask(buying), 4, [])
    assert not buying.may_come


def test_what_does_not_fit_never_comes_back() -> None:
    buying = purchase(pools=(G5A,))
    buying.take(ask(buying), 0, refused("Unsupported", G5A))
    assert not buying.may_come


def test_a_quota_leaves_its_family_out() -> None:
    buying = purchase(pools=(G5A, G5B, G4A, P3A))
    buying.take(ask(buying), 0, refused("VcpuLimitExceeded", G5A))
    assert ask(buying).pools == (P3A,)


def test_a_subnet_without_addresses_is_replaced_for_its_whole_zone() -> None:
    buying = purchase()
    buying.take(ask(buying), 0, refused("InsufficientFreeAddressesInSubnet", G5A))
    assert [p.subnet_id for p in ask(buying).pools] == ["subnet-a2", "subnet-b", "subnet-a2"]
    buying.take(ask(buying), 0, refused("InsufficientFreeAddressesInSubnet", G5A))
    assert ask(buying).pools == (G5B,)


def test_a_refusal_of_the_whole_request_is_one_of_every_pool() -> None:
    buying = purchase()
    buying.take(ask(buying), 0, [Refusal(FULL, "none at all")])
    assert buying.ask() is None
    assert buying.may_come


def test_what_helps_nowhere_stops_it() -> None:
    buying = purchase(spot=True)
    buying.take(ask(buying), 0, refused("UnauthorizedOperation", G5A))
    assert buying.ask() is None
    assert buying.stopped is not None
    assert not buying.may_come


def test_what_passes_is_asked_again_a_few_times() -> None:
    buying = purchase(pools=(G5A,))
    for _ in range(MOST_AGAIN):
        buying.take(ask(buying), 0, refused("InternalError", G5A))
        assert buying.pause
    buying.take(ask(buying), 0, refused("InternalError", G5A))
    assert buying.ask() is None


def test_a_zone_that_ec2_names_is_tried_once_more() -> None:
    said = (
        "We currently do not have sufficient g5.xlarge capacity in the Availability Zone you requested (us-east-1a). "
        "You can currently get g5.xlarge capacity by not specifying an Availability Zone in your request or choosing "
        "us-east-1b, us-east-1c."
    )
    assert zones_with_capacity(said) == {"us-east-1b", "us-east-1c"}
    buying = purchase(pools=(G5A, G5B))
    buying.take(ask(buying), 0, [*refused(FULL, G5B), *refused(FULL, G5A, message=said)])
    assert ask(buying).pools == (G5B,)
    buying.take(ask(buying), 0, refused(FULL, G5B, message=said))
    assert buying.ask() is None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.lists(
                st.tuples(st.sampled_from([*REACTIONS, "New"]), st.sampled_from([G5A, G5B, G4A]))
            ),
        ),
        max_size=60,
    )
)
def test_asking_comes_to_an_end_and_never_for_too_many(
    answers: list[tuple[int, list[tuple[str, Pool]]]],
) -> None:
    buying, got, request = purchase(5, spot=True), 0, 0
    script = iter(answers)
    while (wanted := buying.ask()) is not None:
        request += 1
        assert request < 60
        assert wanted.count == 5 - got
        launched, refusals = next(script, (0, []))
        launched = min(launched, wanted.count)
        got += launched
        buying.take(
            wanted,
            launched,
            [Refusal(c, "", p.instance_type, p.availability_zone) for c, p in refusals],
        )
    assert buying.missing == 5 - got


def test_zones_are_told_together() -> None:
    (line,) = summarise(refused(FULL, G5A, G5B))
    assert line == f"g5.xlarge in us-east-1a, us-east-1b: {FULL}: no; the next pool is tried"


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        (
            "InvalidParameterValue",
            "Value (x) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name",
            "settling",
        ),
        ("RequestLimitExceeded", "", "again"),
        ("IdempotentParameterMismatch", "", "token"),
        ("OptInRequired", "", "stop"),
    ],
)
def test_reactions(code: str, message: str, kind: str) -> None:
    reaction = reaction_to(code, message)
    assert reaction is not None
    assert reaction.kind == kind


def test_nothing_is_known_of_a_wrong_parameter() -> None:
    assert reaction_to("InvalidParameterValue", "Invalid value for iops") is None
