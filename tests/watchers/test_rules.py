"""When an environment stops: the rules by cases, and by what must hold whatever happens."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules import Activity, Finding, Verdict, is_news, judge, observe

QUIET = Finding("quiet", "kernels quiet")
BUSY = Finding("busy", "a kernel is busy")
UNKNOWN = Finding("unknown", "GPU: no answer in time")
HOUR = 3600.0


@dataclass
class Watched:
    """An environment that is looked at again and again."""

    limit: float | None = HOUR
    activity: Activity | None = None
    kept_until: float = 0.0

    def see(self, now: float, *findings: Finding, expires_in: float | None = None) -> Verdict:
        self.activity = observe(
            self.activity, findings, now=now, kept_until=self.kept_until, longest_gap=60
        )
        return judge(self.activity, now=now, idle_limit=self.limit, expires_in=expires_in)

    def quiet(self, start: int, end: int, step: int = 15) -> Verdict:
        for now in range(start, end, step):
            verdict = self.see(now, QUIET)
        return verdict


def test_idle_begins_at_the_first_look() -> None:
    assert Watched().see(5000, QUIET) == Verdict(0, 0, HOUR, "idle", 0)


def test_quiet_for_the_limit_stops() -> None:
    watched = Watched()
    assert watched.quiet(0, 3600).stops_in == 15
    last = watched.see(3600, QUIET)
    assert (last.stops_in, last.because, last.idle_seconds) == (0, "idle", 3600)


@pytest.mark.parametrize("finding", [BUSY, UNKNOWN])
def test_what_is_busy_or_unknown_begins_anew(finding: Finding) -> None:
    watched = Watched()
    watched.quiet(0, 3600)
    verdict = watched.see(3600, QUIET, finding)
    assert (verdict.stops_in, verdict.idle_seconds) == (None, 0)
    assert watched.activity is not None
    assert watched.activity.state == finding.state
    assert watched.activity.reasons == (finding.reason,), "only what is not quiet is told"
    assert watched.see(3615, QUIET).idle_seconds == 15


def test_busy_outweighs_unknown_and_both_are_told() -> None:
    watched = Watched()
    watched.see(0, QUIET, UNKNOWN, BUSY, Finding("quiet", ""))
    assert watched.activity is not None
    assert watched.activity.state == "busy"
    assert watched.activity.reasons == (UNKNOWN.reason, BUSY.reason)


def test_quiet_tells_every_reason() -> None:
    watched = Watched()
    watched.see(0, QUIET, Finding("quiet", "GPU 0 %"), Finding("quiet", ""))
    assert watched.activity is not None
    assert watched.activity.reasons == ("kernels quiet", "GPU 0 %")


def test_time_that_nobody_watched_is_not_idle() -> None:
    watched = Watched()
    watched.quiet(0, 3000)
    assert watched.see(9000, QUIET).idle_seconds == 0


def test_kept_environments_stop_later() -> None:
    watched = Watched(limit=1800, kept_until=3600)
    verdict = watched.quiet(0, 3600)
    assert (verdict.stops_in, verdict.kept_seconds) == (15, 15)
    assert watched.see(3600, QUIET).stops_in == 0


def test_kept_environments_expire() -> None:
    assert Watched(kept_until=3600).see(0, BUSY, expires_in=0).because == "expiry"


def test_the_sooner_end_counts() -> None:
    assert Watched().see(0, QUIET, expires_in=60).because == "expiry"
    assert Watched().see(0, QUIET, expires_in=2 * HOUR).because == "idle"


def test_without_a_limit_idle_is_told_and_stops_nothing() -> None:
    assert Watched(limit=None).quiet(0, 90000) == Verdict(89985, 0)


@pytest.mark.parametrize(
    ("limit", "stops_in", "level"),
    [
        (7200, 901, 0), (7200, 900, 1), (7200, 301, 1), (7200, 300, 2),
        (1200, 301, 0), (1200, 300, 1), (1200, 101, 1), (1200, 100, 2),
        (20, 6, 0), (20, 5, 1), (20, 1, 2),
    ],
)  # fmt: skip
def test_warnings_are_due(limit: float, stops_in: float, level: int) -> None:
    activity = Activity(0, stops_in - limit, 0, "idle", ())
    assert judge(activity, now=0, idle_limit=limit, expires_in=None).level == level


def test_each_warning_is_news_once() -> None:
    watched, news, before = Watched(), [], None
    for now in range(0, 3600, 15):
        verdict = watched.see(now, QUIET)
        if is_news(before, verdict):
            news.append((now, verdict.warning))
        before = verdict
    assert news == [
        (2700, "this environment stops in 15 min: nobody has used it for 45 min"),
        (3300, "this environment stops in 5 min: nobody has used it for 55 min"),
    ]


def test_another_cause_is_news() -> None:
    idle, expiry = Verdict(2900, 0, 700, "idle", 1), Verdict(2900, 0, 700, "expiry", 1)
    assert is_news(idle, expiry)
    assert is_news(Verdict(0, 0, None, None, 0), idle), "after activity the warnings begin anew"
    assert expiry.warning == "this environment stops in 12 min: its time is over"


# What happens between two looks: seconds, and what the looks find.
LOOKS = st.lists(
    st.tuples(st.floats(0.5, 59), st.lists(st.sampled_from([QUIET, BUSY, UNKNOWN]), max_size=4)),
    min_size=1,
    max_size=60,
)


@given(looks=LOOKS, limit=st.floats(20, 600), kept_until=st.floats(0, 600))
def test_it_stops_for_idle_exactly_when_all_was_quiet_for_the_limit(
    looks: list[tuple[float, list[Finding]]], limit: float, kept_until: float
) -> None:
    watched, now, last = Watched(limit=limit, kept_until=kept_until), 0.0, None
    for seconds, findings in looks:
        now += seconds
        verdict = watched.see(now, *findings)
        if last is None or any(each.state != "quiet" for each in findings):
            last = now
        stops = verdict.stops_in is not None and verdict.stops_in <= 0
        assert stops == (now - last >= limit and now >= kept_until)
