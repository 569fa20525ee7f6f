"""Extensions: until when, for how much, and what the machine has to say before a tag is changed."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from fleet.assets.shipped import load_extension
from fleet.errors import UsageError
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.launch import LaunchTemplateFact
from fleet.plan.lifetime.extension import (
    Extended,
    Extension,
    ExtensionReport,
    Longer,
    parse_time,
    plan_extension,
    render_extension,
    timer_holds,
)
from tests.machine import Machine
from tests.plan.record.test_certificates import AUTHORITY, EVENING, INSTANCE, NOW

HOURS = timedelta(hours=1)
TEMPLATE = LaunchTemplateFact("lt-1", "fleet-w", 1, "digest", tags.expiry_text(EVENING))


def instance(
    member: str, *, ends: datetime | None = EVENING, state: str = "running", usd: str = "1.20"
) -> InstanceFact:
    values = {
        tags.MEMBER: member,
        tags.EXPIRES_AT: tags.expiry_text(ends),
        tags.HOURLY_USD: usd,
    }
    return dataclasses.replace(INSTANCE, instance_id=f"i-{member}", state=state, tags=values)


def planned(
    *instances: InstanceFact,
    by: timedelta | None = None,
    until: datetime | None = None,
    template: LaunchTemplateFact | None = None,
    now: datetime = NOW,
) -> Extension:
    return plan_extension(
        instances,
        Longer(by=by, until=until),
        fleet="w",
        region="us-east-1",
        template=template,
        authority=AUTHORITY,
        now=now,
    )


def test_each_stays_so_much_longer_than_its_own_end() -> None:
    later = EVENING + HOURS
    found = planned(instance("ana"), instance("ben", ends=later), by=2 * HOURS, template=TEMPLATE)
    assert [(s.member, s.until) for s in found.stays] == [
        ("ana", EVENING + 2 * HOURS),
        ("ben", later + 2 * HOURS),
    ]
    assert found.template == (TEMPLATE, EVENING + 2 * HOURS)
    assert found.usd == Decimal("4.80")
    assert found.notes == ()
    assert not found.nothing


def test_until_a_time_moves_nobody_to_an_earlier_end() -> None:
    late = instance("ben", ends=EVENING + 5 * HOURS)
    found = planned(instance("ana"), late, until=EVENING + HOURS, template=TEMPLATE)
    assert [s.member for s in found.stays] == ["ana"]
    assert found.enough == ("ben",)
    again = planned(late, until=EVENING, template=TEMPLATE)
    assert again.nothing, "a second time changes nothing"


def test_what_never_ends_is_not_extended() -> None:
    never = dataclasses.replace(TEMPLATE, expires_at=tags.NEVER)
    found = planned(instance("ana", ends=None), by=HOURS, template=never)
    assert found.nothing
    assert found.endless == ("ana",)
    assert found.usd == 0


def test_what_is_over_already_gets_its_time_from_now_on() -> None:
    late = EVENING + 3 * HOURS
    found = planned(instance("ana"), by=HOURS, template=TEMPLATE, now=late)
    assert found.stays[0].until == late + HOURS
    assert found.template == (TEMPLATE, late + HOURS)


def test_a_stopped_instance_costs_nothing_and_an_unknown_price_is_unknown() -> None:
    assert planned(instance("ana", state="stopped"), by=HOURS).usd == 0
    assert planned(instance("ana", usd="?"), by=HOURS).usd is None


def test_nobody_runs_for_more_than_thirty_days_from_the_launch() -> None:
    latest = NOW + timedelta(days=30)
    assert planned(instance("ana"), until=latest).stays[0].until == latest
    with pytest.raises(UsageError) as raised:
        planned(instance("ana"), until=latest + timedelta(seconds=1))
    assert str(raised.value) == (
        "ana would run until 2026-12-21T09:00:01Z, more than 30 days from its launch: "
        "extend until 2026-12-21T09:00:00Z at the latest, or launch it anew"
    )
    with pytest.raises(UsageError, match="a replacement would run until"):
        planned(by=timedelta(days=30), template=TEMPLATE)


def test_certificates_that_end_first_are_told() -> None:
    assert planned(instance("ana"), by=timedelta(days=4)).notes == ()
    (note,) = planned(instance("ana"), by=timedelta(days=6)).notes
    assert note.startswith("the certificates of w end on 28 November 2026; the next `fleet up`")
    plain = instance("ana")
    plain = dataclasses.replace(plain, tags={**plain.tags, tags.TLS: tags.NO_TLS})
    assert planned(plain, by=timedelta(days=6)).notes == ()


@pytest.mark.parametrize(
    ("longer", "said"),
    [
        ({}, "how much longer is not clear"),
        ({"by": HOURS, "until": EVENING}, "how much longer is not clear"),
        ({"by": timedelta(0)}, "no time at all is no extension"),
        ({"until": EVENING.replace(tzinfo=None)}, "does not say in which time zone"),
        ({"until": NOW}, "2026-11-21T09:00:00Z is over: name a time that is to come"),
    ],
)
def test_a_time_that_cannot_be_is_told(longer: dict[str, datetime], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        planned(instance("ana"), **longer)  # type: ignore[arg-type]


def test_times_are_read_with_their_zone() -> None:
    east = timezone(timedelta(hours=1))
    assert parse_time("2026-11-21T18:00+01:00") == datetime(2026, 11, 21, 18, tzinfo=east)
    assert parse_time("2026-11-21T18:00Z") == datetime(2026, 11, 21, 18, tzinfo=UTC)
    for text in ("soon", "", "18:00", "0001-01-01T00:00+14:00", "2026-13-01T00:00Z"):
        with pytest.raises(UsageError, match="is not a time"):
            parse_time(text)


def test_the_report_says_which_end_holds() -> None:
    extension = planned(instance("ana"), instance("ben"), by=2 * HOURS, template=TEMPLATE)
    ana, ben = extension.stays
    report = ExtensionReport(extension, (Extended(ana), Extended(ben, "no SSH connection")))
    told = report.as_json()
    assert told["usd"] == 2.4
    assert told["replacements_expire_at"] == "2026-11-21T19:00:00Z"
    assert told["environments"] == [
        {
            "member": "ana",
            "instance_id": "i-ana",
            "expires_at_before": "2026-11-21T17:00:00Z",
            "expires_at": "2026-11-21T19:00:00Z",
            "hourly_usd": 1.2,
            "usd": 2.4,
            "extended": True,
            "reason": None,
        },
        {
            "member": "ben",
            "instance_id": "i-ben",
            "expires_at_before": "2026-11-21T17:00:00Z",
            "expires_at": "2026-11-21T17:00:00Z",
            "hourly_usd": 1.2,
            "usd": 0.0,
            "extended": False,
            "reason": "no SSH connection",
        },
    ]
    assert report.left == (report.environments[1],)


def test_the_script_is_sound() -> None:
    script = render_extension(load_extension(), until=EVENING)
    for program in filter(shutil.which, ("bash", "shellcheck")):
        words = [program, "-n"] if program == "bash" else [program, "--shell=bash", "-"]
        looked = subprocess.run(
            words, input=script, text=True, capture_output=True, timeout=60, check=False
        )
        assert looked.returncode == 0, looked.stdout + looked.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def run(machine: Machine, until: datetime) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", render_extension(load_extension(), until=until)],
        env=machine.environment,
        cwd=machine.root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_is_told_in_its_file_and_its_timer(machine: Machine) -> None:
    for hour in (1, 2):
        until = EVENING + hour * HOURS
        machine.answers(timer=until)
        done = run(machine, until)
        assert done.returncode == 0, done.stderr
        assert timer_holds(done.stdout, until=until)
        assert not timer_holds(done.stdout, until=until + HOURS)
    assert machine.expires_at == "2026-11-21T19:00:00Z\n"
    dropped = machine.file("/etc/systemd/system/fleet-expiry.timer.d/extended.conf").read_text()
    assert dropped == (
        "[Timer]\nOnCalendar=\nOnCalendar=2026-11-21 19:00:00 UTC\nOnUnitInactiveSec=2min\n"
    ), "an empty OnCalendar= takes back every time of a timer (systemd.timer(5))"
    called = machine.file("/systemctl").read_text().splitlines()
    assert called[:2] == ["daemon-reload", "restart fleet-expiry.timer"]
    assert list(machine.root.rglob("*.new")) == []


def test_a_timer_that_does_not_say_so_is_no_success(machine: Machine) -> None:
    machine.answers(timer=EVENING - HOURS)
    assert not timer_holds(run(machine, EVENING).stdout, until=EVENING)
    machine.answers()
    none = run(machine, EVENING)
    assert none.returncode != 0
    assert "fleet-expiry.timer has no next time" in none.stderr
    machine.answers(timer=EVENING, status=1)
    assert run(machine, EVENING).returncode != 0
    assert not timer_holds("", until=EVENING)


def test_where_there_is_no_timer_the_file_counts(machine: Machine) -> None:
    done = run(machine, EVENING)
    assert done.returncode == 0, done.stderr
    assert timer_holds(done.stdout, until=EVENING)
    assert machine.expires_at == "2026-11-21T17:00:00Z\n"
