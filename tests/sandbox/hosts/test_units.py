"""Unit files, as systemd.syntax and systemd.service describe them."""

from __future__ import annotations

import pytest

from fleet.sandbox.hosts import units
from fleet.sandbox.hosts.units import ExecLine


def parse(text: str, *drops: str) -> units.Unit:
    return units.parse("a@b.service", "/a", [text, *drops], {"i": "b", "h": "/home/u"})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5),
        ("100ms", 0.1),
        ("1min 30s", 90),
        ("2h", 7200),
        ("3 days", 259200),
        ("infinity", float("inf")),
    ],
)
def test_time_spans(text: str, seconds: float) -> None:
    assert units.seconds(text) == pytest.approx(seconds)


def test_a_span_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="soon"):
        units.seconds("soon")


def test_lines_go_on_after_a_backslash_and_comments_are_skipped() -> None:
    unit = parse("[Service]\n# no\n; no\nExecStart=/bin/echo one \\\n  two\n")
    assert unit.start == (ExecLine(("/bin/echo", "one", "two")),)


def test_an_empty_value_forgets_those_before_it() -> None:
    unit = parse("[Service]\nExecStart=/bin/a\n", "[Service]\nExecStart=\nExecStart=/bin/b\n")
    assert [line.words for line in unit.start] == [("/bin/b",)]


def test_prefixes_and_specifiers() -> None:
    unit = parse("[Service]\nExecStartPre=-/bin/a %i %h 100%%\nExecStart=:/bin/b $X\n")
    assert unit.start_pre == (ExecLine(("/bin/a", "b", "/home/u", "100%"), may_fail=True),)
    assert units.arguments(unit.start[0], {"X": "1"}) == ["/bin/b", "$X"]


def test_environment_and_its_variables() -> None:
    unit = parse(
        "[Service]\nEnvironment=\"A=1 2\" B=3\nEnvironment='C=4'\nExecStart=/b $A ${A} $$\n"
    )
    assert unit.environment == {"A": "1 2", "B": "3", "C": "4"}
    assert units.arguments(unit.start[0], unit.environment) == ["/b", "1", "2", "1 2", "$"]


def test_an_environment_file() -> None:
    text = "# c\nA=plain words\nB=\"quoted words\"\n\nC='x'\nnonsense\n"
    assert units.environment_file(text) == {"A": "plain words", "B": "quoted words", "C": "x"}


def test_unknown_keys_are_reported_and_known_ones_passed_over() -> None:
    unit = parse("[Service]\nNice=5\nProtectSystem=full\nExecStrat=/b\nExecStart=/b\n")
    assert unit.warnings == ("Unknown key name 'ExecStrat' in section 'Service', ignoring.",)


def test_values_that_make_no_sense_are_refused() -> None:
    for line in ("RestartSec=soon", "UMask=rw", 'ExecStart=/b "open'):
        with pytest.raises(ValueError, match=r".+"):
            parse(f"[Service]\n{line}\n")


def test_install_and_limits() -> None:
    unit = parse(
        "[Unit]\nStartLimitIntervalSec=1min\nStartLimitBurst=3\n"
        "[Service]\nExecStart=/b\nTimeoutSec=7\nWorkingDirectory=-~\n[Install]\nWantedBy=a.target b.target\n"
    )
    assert (unit.limit_seconds, unit.limit_burst, unit.stop_seconds) == (60, 3, 7)
    assert unit.wanted_by == ("a.target", "b.target")
    assert (unit.directory, unit.directory_optional) == ("~", True)
