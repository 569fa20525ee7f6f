"""What a watch finds: who is lost, who rests, when it ends; and when it tries again."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan import tags
from fleet.plan.environment.report import describe_environment
from fleet.plan.facts.environment import InstanceFact, SpotStatus
from fleet.plan.facts.launch import LaunchTemplateFact, Owned
from fleet.plan.lifetime.backoff import Backoff
from fleet.plan.lifetime.survey import (
    Survey,
    WatchEvent,
    beginning_words,
    dearest,
    ended_words,
    environment_event,
    expired_at,
    fleet_expired_at,
    survey,
)
from fleet.plan.record.ended import EndedMembers, parse_ended
from tests.plan.worlds import NOW, SPEC, instance, plan, spec

ANA, BEN, CHLOE = "ana", "ben", "chloe"
ALL = (ANA, BEN, CHLOE)
ITSELF = "Client.InstanceInitiatedShutdown"
SOMEBODY = "Client.UserInitiatedShutdown"
SPOT = "Server.SpotInstanceTermination"


def ready(number: int, member: str, **changes: object) -> InstanceFact:
    one = instance(number, member)
    own = {
        **one.tags,
        tags.BOOTSTRAP: "b",
        tags.EXPIRES_AT: tags.expiry_text(NOW + timedelta(hours=1)),
    }
    return dataclasses.replace(one, **{"tags": own, **changes})  # type: ignore[arg-type]


def ended(number: int, member: str, code: str) -> InstanceFact:
    return ready(
        number, member, state="terminated", state_reason_code=code, state_reason=f"{code}: words"
    )


def look(*instances: InstanceFact, ended: tuple[str, ...] = ()) -> Survey:
    return survey(ALL, instances, EndedMembers(frozenset(ended)))


def members(found: Survey) -> dict[str, list[str]]:
    return {
        "there": [i.member or "" for i in found.there],
        "lost": [one.member for one in found.lost],
        "resting": [one.member for one in found.ended],
    }


def test_all_are_there() -> None:
    found = look(*(ready(n, m) for n, m in enumerate(ALL)))
    assert members(found) == {"there": [*ALL], "lost": [], "resting": []}
    assert found.whole
    assert beginning_words(found, size=3, every=30) == (
        "3 of 3 environments there, $3.02/h, until 2026-11-21T10:00:00Z; a look every 30 s"
    )


def test_what_goes_is_lost_before_its_end_and_only_once() -> None:
    going = ready(1, ANA, market="spot", spot_status=SpotStatus("marked-for-termination", NOW))
    (lost,) = look(going, ready(2, BEN), ready(3, CHLOE)).lost
    assert (lost.member, lost.why) == (ANA, "EC2 takes it back at about 09:02:00Z")
    assert look(going, ready(4, ANA), ready(2, BEN), ready(3, CHLOE)).whole


@pytest.mark.parametrize(
    ("code", "kept", "where"),
    [
        (SPOT, False, "lost"),
        (SPOT, True, "lost"),  # kept of an earlier one: that one ended otherwise
        ("Server.InternalError", False, "lost"),
        (SOMEBODY, False, "lost"),
        (SOMEBODY, True, "resting"),
        (ITSELF, False, "resting"),
    ],
)
def test_how_it_ended_decides(code: str, kept: bool, where: str) -> None:
    found = look(ended(1, ANA, code), ended=(ANA,) if kept else ())
    assert ANA in members(found)[where]


def test_the_latest_end_decides() -> None:
    assert next(m.member for m in look(ended(1, ANA, ITSELF), ended(2, ANA, SPOT)).lost) == ANA
    assert [m.member for m in look(ended(1, ANA, SPOT), ended(2, ANA, ITSELF)).ended] == [ANA]


def test_who_switches_the_successor_off_rests_although_the_old_one_still_runs() -> None:
    going = ready(1, ANA, market="spot", spot_status=SpotStatus("marked-for-termination", NOW))
    assert [one.member for one in look(going, ended(2, ANA, ITSELF)).ended] == [ANA]
    assert ANA in [one.member for one in look(going, ended(2, ANA, SPOT)).lost]


def test_what_ec2_has_forgotten_is_lost_unless_it_was_let_rest() -> None:
    found = look(ready(1, ANA), ended=(BEN,))
    assert members(found) == {"there": [ANA], "lost": [CHLOE], "resting": [BEN]}
    assert found.lost[0].why == "it has no instance"


def test_stopped_and_unfinished_are_apart() -> None:
    stopped = ready(1, ANA, state="stopped")
    found = look(stopped, instance(2, BEN), ready(3, CHLOE))
    assert (found.stopped, [i.member for i in found.unfinished]) == ((stopped,), [BEN])
    assert not found.whole
    assert {i.member for i in found.staying} == set(ALL)


def test_why_it_rests_is_said() -> None:
    (idle,) = look(ended(1, ANA, ITSELF), ended=ALL).ended[:1]
    assert "idle, or somebody shut it down: it stays so, `fleet up`" in ended_words(idle, now=NOW)
    later = NOW + timedelta(hours=2)
    assert "its time was over at 2026-11-21T10:00:00Z" in ended_words(idle, now=later)
    (gone,) = look(ready(2, BEN), ready(3, CHLOE), ended=(ANA,)).ended
    assert ended_words(gone, now=NOW).startswith("it ended on purpose")


def test_it_ends_when_the_time_of_all_is_over() -> None:
    early, late = ready(1, ANA), ready(2, BEN)
    late = dataclasses.replace(late, tags={**late.tags, tags.EXPIRES_AT: "2026-11-21T11:00:00Z"})
    endless = dataclasses.replace(late, tags={**late.tags, tags.EXPIRES_AT: tags.NEVER})
    at = NOW + timedelta(hours=1)
    assert expired_at([early], now=NOW) is None
    assert expired_at([early], now=at) == at
    assert expired_at([early, late], now=at) is None
    assert expired_at([early, endless], now=at + timedelta(days=9)) is None
    assert expired_at([], now=at) is None


def test_the_fleets_own_time() -> None:
    def made(text: str) -> Owned:
        return Owned(launch_templates=(LaunchTemplateFact("lt-1", "fleet-w", 1, "x", text),))

    assert fleet_expired_at(made("2026-11-21T09:00:00Z"), now=NOW) == NOW
    assert fleet_expired_at(made("2026-11-21T09:00:01Z"), now=NOW) is None
    assert fleet_expired_at(made(tags.NEVER), now=NOW) is None
    assert fleet_expired_at(Owned(), now=NOW) is None


def test_the_highest_price_of_one_is_said() -> None:
    assert str(dearest(plan())) == "1.006"
    capped = spec(SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], max_price: 0.6"))
    assert str(dearest(plan(capped))) == "0.526"
    assert dearest(plan(spec(SPEC.replace("g4dn.xlarge]", "g4dn.xlarge], market: spot")))) is None


def test_an_event_has_all_figures_and_no_token() -> None:
    one = describe_environment(ready(1, ANA), state="ready", token="secret")
    told = environment_event(NOW, "replaced", "workshop", one, "ready").as_json()
    assert "secret" not in str(told)
    assert (told["at"], told["event"], told["member"]) == ("2026-11-21T09:00:00Z", "replaced", ANA)
    assert (told["hourly_usd"], told["market"]) == (1.006, "on-demand")
    assert set(told) == set(WatchEvent(NOW, "note", "w", None, "x").as_json())


def test_it_waits_longer_each_time_and_not_for_somebody_else() -> None:
    patience, ana, both = Backoff(30), frozenset({ANA}), frozenset({ANA, BEN})
    assert patience.due(ana, now=0)
    assert not patience.due(frozenset(), now=0)
    waits, now = [], 0.0
    for _ in range(7):
        patience.note_failed(ana, now=now)
        assert not patience.due(ana, now=now + patience.wait - 1)
        assert patience.due(both, now=now + 1), "ben has only now been lost"
        now += patience.wait
        assert patience.due(ana, now=now)
        waits.append(patience.wait)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    patience.note_done()
    patience.note_failed(ana, now=now)
    assert patience.wait == 30


def test_a_bootstrap_that_fails_again_and_again_is_given_up() -> None:
    patience = Backoff(30)
    for _ in range(3):
        assert not patience.gives_up("i-1")
        patience.note_unfinished("i-1")
    assert patience.gives_up("i-1")
    assert not patience.gives_up("i-2")
    assert not patience.gives_up(None)


@given(st.lists(st.text(min_size=1, max_size=60), max_size=300))
def test_who_rests_is_kept_whole_or_as_everybody(names: list[str]) -> None:
    kept = parse_ended(EndedMembers().with_more(names).text)
    assert all(kept.has(name) for name in names)
    assert len(kept.text) <= 3500
    if "*" not in kept.names:
        assert not kept.without(names).names


@pytest.mark.parametrize("text", [None, "", "{", "{}", "3", '[1, "ana"]'])
def test_what_is_no_list_rests_nobody(text: str | None) -> None:
    assert parse_ended(text).names <= {ANA}
