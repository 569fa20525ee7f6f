"""Rotations: every token changes once, whatever was killed in between, and none ever comes back."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.assets.shipped import load_rotation
from fleet.plan import tags
from fleet.plan.environment.bootstrap import render_rotation
from fleet.plan.environment.rotation import plan_rotation, rotating, token_on_host
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.generations import ALL, Generations, parse_generations
from tests.plan.record.test_certificates import INSTANCE


def instance(member: str, generation: int, *, told: int | None = None) -> InstanceFact:
    values = {tags.MEMBER: member, tags.TOKEN_GENERATION: str(generation)}
    if told is not None:
        values[tags.TOKEN_ON_HOST] = str(told)
    return dataclasses.replace(INSTANCE, instance_id=f"i-{member}", tags=values)


def planned(*instances: InstanceFact, known: Generations | None = None) -> tuple[int, list[str]]:
    rotation = plan_rotation(instances, known=known or Generations())
    return rotation.generation, [one.member or "" for one in rotation.ahead]


def test_all_get_the_generation_above_the_highest() -> None:
    assert planned(instance("ana", 1), instance("ben", 3)) == (4, ["ana", "ben"])
    assert planned(instance("ana", 1, told=1)) == (2, ["ana"])


def test_one_that_broke_off_is_finished_and_changes_nobody_twice() -> None:
    ana, ben, cyd = instance("ana", 2, told=2), instance("ben", 2, told=1), instance("cyd", 1)
    assert planned(ana, ben, cyd) == (2, ["ben", "cyd"])
    assert plan_rotation([ben], known=Generations()).resumed
    assert [rotating(one) for one in (ana, ben, cyd)] == [False, True, False]
    assert token_on_host(ben) == 1


def test_a_generation_that_was_given_once_never_returns() -> None:
    known = Generations({"ana": 5})
    assert planned(instance("ana", 1), known=known) == (6, ["ana"])
    assert known.of("ana") == 5
    assert known.of("ben") == 1
    assert known.raised(6, None).of("ben") == 6
    assert known.raised(7, ["ben"]) == Generations({"ana": 5, "ben": 7})


def test_many_single_rotations_stay_within_a_parameter() -> None:
    known = Generations()
    for number in range(500):
        known = known.raised(number + 2, [f"member-{number:03}"])
        assert len(known.text) < 4096
    assert known.of("member-499") == 501
    assert known.of("member-000") >= 2


@given(st.dictionaries(st.text(), st.integers(1, 10**6)))
def test_generations_are_kept(found: dict[str, int]) -> None:
    known = Generations(found)
    assert parse_generations(known.text) == known


@pytest.mark.parametrize("text", [None, "", "{", "[1]", '{"ana": "x"}', '{"ana": null}', "7"])
def test_what_is_none_is_none(text: str | None) -> None:
    assert parse_generations(text) == Generations()
    assert json.loads(Generations({ALL: 2}).text) == {"*": 2}


@pytest.mark.parametrize("account", [None, "member"])
def test_the_script_is_sound_and_keeps_the_token_out_of_arguments(account: str | None) -> None:
    script = render_rotation(load_rotation(), account=account, token="tok-en_")
    for program in filter(shutil.which, ("bash", "shellcheck")):
        words = [program, "-n"] if program == "bash" else [program, "--shell=bash", "-"]
        looked = subprocess.run(
            words, input=script, text=True, capture_output=True, timeout=60, check=False
        )
        assert looked.returncode == 0, looked.stdout + looked.stderr
    (line,) = [line for line in script.splitlines() if "tok-en_" in line]
    assert line.startswith("printf '%s' tok-en_ | "), (
        "a builtin of bash, which has no argument vector"
    )
