"""What the command line puts in the place of the spec, and how its faults are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleet.errors import SpecError
from fleet.spec.load import Overrides
from tests.spec.cases import PLAIN, load_text


def test_flags_take_the_place_of_values() -> None:
    overrides = Overrides(
        market="spot", types=("g6.xlarge",), expires="2h", min_ready=2, region="eu-west-1"
    )
    spec = load_text(PLAIN + "region: us-east-1\n", overrides)
    assert spec.instances.market == "spot"
    assert spec.instances.types == ("g6.xlarge",)
    assert spec.expires == timedelta(hours=2)
    assert spec.min_ready == 2
    assert spec.region == "eu-west-1"


@pytest.mark.parametrize("who", ["members: [ana]", "count: 3", "roster: nowhere.csv", "members: 7"])
def test_count_takes_the_place_of_whoever_is_named(who: str) -> None:
    spec = load_text(PLAIN.replace("members: [ana, ben, chloe]", who), Overrides(count=2))
    assert [member.name for member in spec.members] == ["env-01", "env-02"]


def test_a_replaced_value_has_no_fault() -> None:
    assert load_text(PLAIN.replace("8h", "8"), Overrides(expires="8h")).expires
    assert load_text(PLAIN.replace("expires: 8h", ""), Overrides(expires="never")).expires is None


def test_types_can_stand_alone() -> None:
    text = PLAIN.replace("instances: {types: [g5.xlarge]}\n", "")
    assert load_text(text, Overrides(types=("g5.xlarge",))).instances.types == ("g5.xlarge",)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            Overrides(count=0),
            "--count: count is 0, so nobody would get an environment: write 1 or more",
        ),
        (
            Overrides(market="spto"),
            "--market: instances.market 'spto' is not one that fleet knows: did you mean spot?",
        ),
        (
            Overrides(types=("g5",)),
            "--types: instances.types 'g5' has no size: write it with one, such as g5.xlarge",
        ),
        (
            Overrides(types=()),
            "--types: instances.types is an empty list: name one type, such as [g5.xlarge]",
        ),
        (
            Overrides(expires="8"),
            "--expires: expires '8' has no unit: write 8h for hours or 8m for minutes",
        ),
        (
            Overrides(min_ready=4),
            "--min: min is 4, and there are 3 members: write 3 or less",
        ),
        (
            Overrides(region="us-east-1a"),
            "--region: region 'us-east-1a' is an Availability Zone: write its Region, us-east-1",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value),
)
def test_a_fault_in_a_flag_names_the_flag(overrides: Overrides, expected: str) -> None:
    with pytest.raises(SpecError) as raised:
        load_text(PLAIN, overrides)
    assert str(raised.value) == expected
    assert raised.value.faults[0].line == 0


def test_a_flag_does_not_hide_the_faults_of_the_file() -> None:
    text = PLAIN.replace("instances: {types: [g5.xlarge]}", "instances: [g5.xlarge]")
    with pytest.raises(SpecError) as raised:
        load_text(text + "market: spot\n", Overrides(market="spot", types=("g5",)))
    assert [(fault.file, fault.line) for fault in raised.value.faults] == [
        ("fleet.yaml", 4),
        ("fleet.yaml", 6),
    ]
