"""Ends a run with a table: how many tests each folder has, and how many seconds of all workers they took."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import PurePath

import pytest

LONG_SECONDS = 60
"""A test that alone takes longer says in a comment why."""

_seconds: defaultdict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Of each test come three: its fixtures made, itself, its fixtures taken away."""
    _seconds[report.nodeid.partition("@")[0]] += report.duration


def table(seconds: Mapping[str, float]) -> list[str]:
    """Give the table's lines, the folder that took most first."""
    tests: Counter[str] = Counter()
    sums: defaultdict[str, float] = defaultdict(float)
    for test, took in seconds.items():
        folder = str(PurePath(test.partition("::")[0]).parent)
        tests[folder] += 1
        sums[folder] += took
    width = max(map(len, tests), default=0)
    rows = [(folder, tests[folder], took) for folder, took in _dearest_first(sums)]
    rows.append(("all", tests.total(), sum(sums.values())))
    return [f"{folder:<{width}}  {count:>5} tests  {took:>7.1f} s" for folder, count, took in rows]


def _dearest_first(seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(seconds.items(), key=lambda item: item[1], reverse=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section("seconds by folder, of all workers together")
    for line in table(_seconds):
        terminalreporter.line(line)
    for test, took in _dearest_first(_seconds):
        if took < LONG_SECONDS:
            break
        terminalreporter.line(f"{took:7.1f} s  {test}")
