"""What watchers say, in words; and that nothing a machine says does harm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.environment.heartbeats import describe_watchers, parse_watchers

ENDS = datetime(2026, 11, 21, 20, tzinfo=UTC)
LIFETIME: dict[str, Any] = {
    "at": "2026-11-21T19:00:00Z",
    "boot_seconds": 123.4,
    "tick_seconds": 15.0,
    "age_seconds": 3.2,
    "state": "idle",
    "idle_seconds": 2460,
    "idle_limit_seconds": 3600,
    "reasons": ["kernels quiet", "GPU 0 %", "no terminal input"],
    "kept_seconds": 0,
    "expires_at": "2026-11-21T20:00:00Z",
    "stops_in_seconds": 1140,
    "stops_because": "idle",
    "warning": None,
}
SPOT: dict[str, Any] = {
    "tick_seconds": 5.0,
    "age_seconds": 1.0,
    "state": "quiet",
    "action": None,
    "time": None,
    "hook": None,
    "sync": None,
    "reasons": [],
    "warning": None,
}


def lines(lifetime: object = None, member: str = "ana", **watchers: object) -> list[str]:
    found = parse_watchers({"watchers": {"lifetime": lifetime or LIFETIME, **watchers}})
    said = describe_watchers(
        found, member=member, expires_at=ENDS, fleet="workshop", command="fleet"
    )
    return list(said)


def said(**changes: object) -> str:
    (line,) = lines({**LIFETIME, **changes})
    return line


def test_idle_is_explained() -> None:
    assert said() == "idle 41 of 60 min: kernels quiet, GPU 0 %, no terminal input"
    assert said(idle_limit_seconds=None, reasons=[]) == "idle 41 min"
    assert said(idle_seconds=12, idle_limit_seconds=40, reasons=["CPU 1 %"]) == (
        "idle 12 of 40 s: CPU 1 %"
    )


def test_busy_and_unknown_are_told_with_their_reasons() -> None:
    assert said(state="busy", reasons=["a kernel is busy"]) == "busy: a kernel is busy"
    assert said(state="unknown", reasons=["Jupyter does not answer"]) == (
        "unknown: Jupyter does not answer; not counted as idle"
    )


def test_what_follows_is_told() -> None:
    kept = said(idle_seconds=3700, kept_seconds=2530)
    assert kept.endswith("; kept for 42 min")
    warned = said(idle_seconds=2760, stops_in_seconds=840, warning="this environment stops …")
    assert warned.endswith("; stops in 14 min")
    expiring = said(
        state="busy", reasons=[], stops_in_seconds=100, stops_because="expiry", warning="…"
    )
    assert expiring == "busy; stops in 100 s, at its expiry"


@pytest.mark.parametrize(
    ("age", "tick", "dead"),
    [(60, 0.5, False), (61, 0.5, True), (79, 20.0, False), (81, 20.0, True), (None, 15.0, True)],
)
def test_a_watcher_is_dead_after_four_ticks_and_a_minute(
    age: float | None, tick: float, dead: bool
) -> None:
    (line,) = lines({**LIFETIME, "age_seconds": age, "tick_seconds": tick})
    assert line.startswith("fleet-lifetime has not been heard of" if dead else "idle")


def test_a_dead_watcher_is_told_with_what_to_do() -> None:
    (line,) = lines({**LIFETIME, "age_seconds": 250.0}, member="Zoë Å")
    assert line == (
        "fleet-lifetime has not been heard of for 4 min: `fleet logs workshop 'Zoë Å'` shows why, "
        "`fleet bootstrap workshop --member 'Zoë Å'` starts it again"
    )
    idle, never = lines(spot=None)
    assert idle.startswith("idle")
    assert never.startswith("fleet-spot has not been heard of at all: `fleet logs workshop ana`")


def test_a_spot_notice_is_told_with_its_time() -> None:
    assert lines(spot=SPOT) == lines()
    (_, line) = lines(
        spot={
            **SPOT,
            "state": "interruption",
            "action": "terminate",
            "time": "2026-11-21T19:02:00Z",
            "hook": "done",
            "sync": "timed out",
        }
    )
    assert line == (
        "Spot: EC2 takes the instance back (terminate) at 2026-11-21T19:02:00Z; "
        "~/on-interruption: done; sync: timed out"
    )
    assert "rebalance" in lines(spot={**SPOT, "state": "rebalance"})[1]
    unknown = {**SPOT, "state": "unknown", "reasons": ["the metadata service answers HTTP 500"]}
    assert (
        lines(spot=unknown)[1] == "Spot notices are not seen: the metadata service answers HTTP 500"
    )


def test_an_end_later_than_its_tag_is_told() -> None:
    (_, line) = lines({**LIFETIME, "expires_at": "2026-11-21T22:00:00Z"})
    assert line == (
        "ends at 2026-11-21T22:00:00Z, later than its tag says: "
        "`fleet extend workshop --member ana --until 2026-11-21T22:00:00Z` mends the tag"
    )
    assert len(lines({**LIFETIME, "expires_at": "2026-11-21T19:00:00Z"})) == 1, (
        "a tag that was changed a moment ago: the watcher reads it at its next tick"
    )


@pytest.mark.parametrize("told", [None, [], {}, {"watchers": None}, {"watchers": {}}, "…", 7])
def test_without_an_answer_there_is_no_word(told: object) -> None:
    found = parse_watchers(told)
    shown = describe_watchers(found, member="ana", expires_at=None, fleet="w", command="fleet")
    assert list(shown) == ["no word of its watchers"]


def test_json_has_the_words_and_the_figures() -> None:
    found = parse_watchers({"watchers": {"lifetime": LIFETIME, "spot": None}})
    assert found is not None
    assert found.as_json() == {
        "activity": "idle 41 of 60 min: kernels quiet, GPU 0 %, no terminal input",
        "lifetime": {
            "alive": True,
            "age_seconds": 3.2,
            "state": "idle",
            "idle_seconds": 2460.0,
            "idle_limit_seconds": 3600.0,
            "reasons": ["kernels quiet", "GPU 0 %", "no terminal input"],
            "kept_seconds": 0.0,
            "expires_at": "2026-11-21T20:00:00Z",
            "stops_in_seconds": 1140.0,
            "stops_because": "idle",
            "warning": None,
        },
        "spot": {"alive": False, "age_seconds": None},
    }
    none = parse_watchers({"watchers": {}})
    assert none is not None
    assert none.as_json() == {"activity": None, "lifetime": None, "spot": None}


def test_what_a_person_writes_there_moves_no_cursor() -> None:
    line = said(reasons=["\x1b[2Jgone", "a\nb", "\u202etxt", "x" * 10_000, *["y"] * 1000])
    assert line.startswith("idle 41 of 60 min: ?[2Jgone, a?b, ?txt, xxx")
    assert len(line) < 500


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(LIFETIME)), JSON))
def test_a_heartbeat_that_is_none_is_a_dead_watchers(changes: dict[str, Any]) -> None:
    shown = lines({**LIFETIME, **changes}, spot={**SPOT, **changes})
    assert shown
    assert all(line.isprintable() for line in shown)


@given(st.dictionaries(st.sampled_from(["lifetime", "spot", "other"]), JSON))
def test_nothing_that_is_told_is_a_crash(watchers: dict[str, Any]) -> None:
    found = parse_watchers({"watchers": watchers})
    assert found is not None
    assert list(describe_watchers(found, member="a", expires_at=None, fleet="w", command="fleet"))
    assert found.as_json()


@pytest.mark.parametrize("number", [10**400, -1, float("nan"), float("inf"), True, "7"])
def test_a_number_that_is_none_is_not_taken(number: object) -> None:
    (line,) = lines({**LIFETIME, "idle_seconds": number})
    assert line.startswith("fleet-lifetime says nothing that can be read: ")
