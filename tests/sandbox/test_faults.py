"""The table of faults, what their options may be, and how a registry counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fleet.errors import UsageError
from fleet.sandbox.faults import KINDS, Fault, Faults, Kind, read_conditions

PAGE = Path(__file__).parent.parent.parent / "docs" / "sandbox.md"


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def always(_: Fault) -> bool:
    return True


def strikes(faults: Faults, name: str = "throttle") -> bool:
    with faults.one_call():
        return faults.met(name, always) is not None


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_example_can_be_read(kind: Kind) -> None:
    name, *words = kind.example.split()
    assert name == kind.name
    options = {words[i].removeprefix("--"): words[i + 1] for i in range(0, len(words), 2)}
    read_conditions(name, options)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_is_documented_as_the_table_has_it(kind: Kind) -> None:
    flags = " ".join(f"`--{option.flag}`" for option in kind.options)
    assert f"| `{kind.name}` | {kind.summary} | {flags} |" in PAGE.read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("no-capcity", {}, "there is no fault 'no-capcity': did you mean no-capacity?"),
        ("meteor", {}, "there is no fault 'meteor': one of error, throttle"),
        ("throttle", {"rat": "0.3"}, "fault throttle has no option --rat: did you mean --rate?"),
        ("never-boots", {"xyz": "1"}, "has no option --xyz: it knows --fleet, --type"),
        ("error", {"action": "CreateFleet"}, "fault error needs --code: for example: error"),
        ("slow", {}, "fault slow needs --delay"),
        ("throttle", {"rate": "0"}, "--rate '0' cannot be read: give a share of the calls"),
        ("throttle", {"rate": "130%"}, "--rate '130%' cannot be read"),
        ("throttle", {"rate": "nan"}, "--rate 'nan' cannot be read"),
        ("throttle", {"calls": "0"}, "--calls '0' cannot be read: give a whole number from 1"),
        ("throttle", {"calls": "²"}, "--calls '²' cannot be read"),
        ("throttle", {"for": "soon"}, "--for 'soon' cannot be read: give a time such as 500ms"),
        ("throttle", {"for": "25h"}, "at most 24h"),
        ("throttle", {"action": "Create Fleet"}, "give an API action such as CreateFleet"),
        ("no-capacity", {"type": "g5"}, "give an instance type such as g5.xlarge"),
        ("no-capacity", {"zone": "us-east-1"}, "give an Availability Zone such as us-east-1a"),
        ("no-capacity", {"market": "reserved"}, "give on-demand or spot"),
        ("error", {"action": "A", "code": "A", "status": "200"}, "an HTTP status such as 503"),
        ("error", {"action": "A", "code": "A", "status": "599"}, "an HTTP status such as 503"),
        ("error", {"action": "A", "code": "<b>"}, "--code '<b>' cannot be read"),
        ("spot-interruption", {"instance-id": "ana"}, "give an instance id"),
    ],
)
def test_bad_options_get_one_line(name: str, options: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Faults().add(name, options)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_times_and_shares_are_read() -> None:
    read = read_conditions("throttle", {"rate": "30%", "for": "1.5m", "skip": "0"})
    assert (read.rate, read.for_seconds, read.skip) == (0.3, 90.0, 0)
    assert read_conditions("slow", {"delay": "250ms"}).delay_seconds == 0.25
    assert read_conditions("slow", {"delay": "2"}).delay_seconds == 2


def test_calls_are_counted_and_over() -> None:
    faults = Faults()
    fault = faults.add("throttle", {"skip": "1", "calls": "2"})
    assert [strikes(faults) for _ in range(5)] == [False, True, True, False, False]
    assert (fault.hits, fault.left, fault.over(0)) == (2, 0, True)
    assert faults.all() == [fault]


def test_a_call_that_meets_a_fault_twice_is_one_hit() -> None:
    faults = Faults()
    fault = faults.add("no-capacity", {"calls": "1"})
    with faults.one_call():
        assert faults.met("no-capacity", always) is fault
        assert faults.met("no-capacity", always) is fault
        assert faults.threatened("no-capacity", always)
    assert fault.hits == 1
    assert not faults.threatened("no-capacity", always)


def test_time_runs_out() -> None:
    clock = Clock()
    faults = Faults(clock)
    fault = faults.add("throttle", {"for": "30s"})
    assert fault.seconds_left(clock.now) == 30
    clock.now = 29.9
    assert strikes(faults)
    clock.now = 30
    assert not strikes(faults)
    assert fault.over(clock.now)


def test_a_rate_is_a_share_and_the_same_each_time() -> None:
    def draws() -> list[bool]:
        faults = Faults()
        faults.add("throttle", {"rate": "0.3"})
        return [strikes(faults) for _ in range(1000)]

    assert draws() == draws()
    assert 240 < sum(draws()) < 360


def test_clearing_by_id_by_name_and_all() -> None:
    faults = Faults()
    for name in ("throttle", "server-error", "throttle", "lost-request"):
        faults.add(name, {})
    with pytest.raises(UsageError, match="no fault 'throtle' is switched on: did you mean thro"):
        faults.clear("f2", "throtle")
    assert len(faults.all()) == 4
    assert [fault.id for fault in faults.clear("throttle")] == ["f1", "f3"]
    assert [fault.id for fault in faults.clear("f2")] == ["f2"]
    assert [fault.id for fault in faults.clear()] == ["f4"]
    assert faults.clear() == []
    assert not strikes(faults)


def test_the_table_is_cheap_to_import() -> None:
    program = (
        "import sys, fleet.sandbox.faults; sys.exit(bool({'moto', 'boto3'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
