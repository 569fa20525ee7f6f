"""Names that files, shells and ssh_config can bear."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.handout.aliases import aliases

GOOD = re.compile(r"workshop-[a-z0-9][a-z0-9-]{0,48}")


def test_plain_names_stay() -> None:
    assert aliases("workshop", ["ana", "env-01"]) == {
        "ana": "workshop-ana",
        "env-01": "workshop-env-01",
    }


def test_accents_and_blanks_become_plain() -> None:
    found = aliases("workshop", ["José María", "Bjørn", "Straße", "O'Brien", "ŁUKASZ", "Ada-"])
    assert list(found.values()) == [
        "workshop-jose-maria",
        "workshop-bjorn",
        "workshop-strasse",
        "workshop-o-brien",
        "workshop-lukasz",
        "workshop-ada",
    ]


def test_those_that_become_the_same_are_told_apart_and_the_plain_one_stays() -> None:
    found = aliases("workshop", ["José", "jose", "Jósé"])
    assert found["jose"] == "workshop-jose"
    assert len(set(found.values())) == 3


def test_a_name_does_not_change_when_somebody_with_another_joins() -> None:
    assert aliases("workshop", ["王"])["王"] == aliases("workshop", ["王", "李", "ana"])["王"]


@given(st.lists(st.text(min_size=1, max_size=64), unique=True, max_size=8))
def test_whatever_the_names(names: list[str]) -> None:
    found = aliases("workshop", names)
    assert len(set(found.values())) == len(names)
    assert all(GOOD.fullmatch(alias) for alias in found.values())
