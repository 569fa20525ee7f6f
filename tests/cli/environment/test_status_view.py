"""`fleet status` on terminals: what has no room is left out and named, lines go on below their beginning."""

from __future__ import annotations

import pytest

from fleet.cli.environment.status_view import status_lines
from fleet.plan.environment.heartbeats import parse_watchers
from fleet.plan.environment.report import FleetReport, describe_environment
from tests.plan.environment.test_heartbeats import LIFETIME
from tests.plan.handout.handouts import instance

DEAD = {**LIFETIME, "age_seconds": 600.0}
REPORT = FleetReport(
    "workshop",
    "us-east-1",
    tuple(
        describe_environment(
            instance(member, number, **{"fleet:name": "workshop"}),
            state="ready",
            token="secret",
            watchers=parse_watchers({"watchers": {"lifetime": told}}),
        )
        for number, (member, told) in enumerate((("ana", LIFETIME), ("benedikt", DEAD)), 7)
    ),
)
WHOLE = ["MEMBER", "STATE", "INSTANCE", "TYPE", "MARKET", "ZONE", "ADDRESS", "PRICE", "EXPIRES"]


@pytest.mark.parametrize(
    ("columns", "gone"),
    [
        (None, ()),
        (130, ()),
        (110, ("MARKET",)),
        (100, ("MARKET", "ZONE")),
        (80, ("TYPE", "MARKET", "ZONE")),
    ],
)
def test_a_narrow_terminal_gets_what_fits(columns: int | None, gone: tuple[str, ...]) -> None:
    shown, left_out = status_lines(REPORT, columns=columns, command="fleet")
    assert left_out == gone
    heading, *lines = "\n".join(shown).splitlines()
    assert heading.split() == [name for name in WHOLE if name not in gone]
    below = [line for line in lines if line.startswith("  ")]
    assert columns is None or all(len(line) <= columns for line in below)
    words = " ".join(line.strip() for line in below)
    assert "idle 41 of 60 min: kernels quiet, GPU 0 %, no terminal input" in words
    assert "`fleet bootstrap workshop --member benedikt` starts it again" in words
