"""While EC2 takes an instance back and another stands in: nobody is counted twice, nobody is left out."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from fleet.plan.environment.replacements import leaving_words, new_addresses, one_each
from fleet.plan.environment.report import FleetReport, describe_environment
from fleet.plan.facts.environment import InstanceFact, SpotStatus
from fleet.plan.facts.launch import Owned
from tests.plan.worlds import NOW, instance, observed, plan

CODES = [
    "marked-for-termination",
    "instance-terminated-no-capacity",
    "instance-terminated-by-price",
    "instance-terminated-by-user",
    "spot-instance-terminated-by-user",
]


def spot(number: int, member: str | None, code: str, state: str = "running") -> InstanceFact:
    return dataclasses.replace(
        instance(number, member, state),
        market="spot",
        spot_status=SpotStatus(code, NOW),
    )


@pytest.mark.parametrize("code", CODES)
def test_the_status_of_the_request_tells_that_it_goes(code: str) -> None:
    one = spot(1, "ana", code)
    assert one.leaving
    assert one.taken_back_at == NOW + timedelta(minutes=2)
    assert not dataclasses.replace(one, state="terminated").leaving, "it has gone"


@pytest.mark.parametrize("code", ["fulfilled", "request-canceled-and-instance-running", ""])
def test_other_codes_tell_nothing(code: str) -> None:
    assert not spot(1, "ana", code).leaving
    assert spot(1, "ana", code).taken_back_at is None


def test_on_demand_never_leaves() -> None:
    assert not instance(1, "ana").leaving


@pytest.mark.parametrize("code", CODES)
def test_it_is_replaced_at_once_and_is_no_surplus(code: str) -> None:
    going, ben = spot(1, "ana", code), instance(2, "ben")
    found = plan(facts=observed(owned=Owned(instances=(going, ben))))
    assert [member.name for member in found.members.launch] == ["ana", "chloe"]
    assert [a.member.name for a in found.members.keep] == ["ben"]
    assert found.members.surplus == ()
    assert found.cost.count == 3, "what goes within two minutes is no part of the price"
    (told,) = [warning for warning in found.warnings if going.instance_id in warning]
    assert told == (
        f"{going.instance_id} (ana): EC2 takes it back at about 09:02:00Z: `fleet up` replaces it"
    )


def test_once_replaced_nothing_more_is_launched_for_it() -> None:
    going, stays = spot(1, "ana", CODES[0]), spot(2, "ana", "fulfilled")
    found = plan(facts=observed(owned=Owned(instances=(going, stays))))
    assert [a.instance.instance_id for a in found.members.keep] == [stays.instance_id]
    assert [member.name for member in found.members.launch] == ["ben", "chloe"]
    assert found.members.surplus == ()


def test_what_nobody_has_yet_is_not_adopted_when_it_goes() -> None:
    found = plan(facts=observed(owned=Owned(instances=(spot(1, None, CODES[0]),))))
    assert found.members.adopt == ()
    assert len(found.members.launch) == 3


def test_each_member_has_one_instance() -> None:
    going, stays, ben = spot(1, "ana", CODES[0]), instance(3, "ana"), spot(2, "ben", CODES[1])
    assert one_each((going, ben, stays)) == (ben, stays), "ben's is all that he has"
    assert leaving_words(going, (going, stays)).endswith(f": {stays.instance_id} stands in")
    assert leaving_words(ben, (going, ben, stays)).endswith(": `fleet up` replaces it")
    untimed = dataclasses.replace(ben, spot_status=SpotStatus(CODES[1]))
    assert "within two minutes" in leaving_words(untimed, (untimed,))


def test_a_report_counts_each_member_once_and_all_that_runs() -> None:
    going, stays = spot(1, "ana", CODES[0]), spot(2, "ana", "fulfilled")
    report = FleetReport(
        "workshop",
        "us-east-1",
        (
            describe_environment(going, state="leaving", reason="EC2 takes it back"),
            describe_environment(stays, state="ready", token="t"),
        ),
    )
    assert (report.ready, len(report.environments), len(report.current.environments)) == (1, 2, 1)
    assert report.hourly_usd == 2 * instance(1, "ana").hourly_usd  # type: ignore[operator]
    assert report.current.hourly_usd == instance(1, "ana").hourly_usd
    alone = dataclasses.replace(report, environments=report.environments[:1])
    assert alone.current == alone


def test_who_has_another_address_is_told() -> None:
    before = (spot(1, "ana", CODES[0]), instance(2, "ben"))
    after = FleetReport(
        "workshop",
        "us-east-1",
        tuple(
            describe_environment(one, state="ready", token="t")
            for one in (instance(3, "ana"), instance(2, "ben"), instance(4, "chloe"))
        ),
    )
    assert new_addresses(after, before) == ("ana",), "chloe never had a link"
