"""The first `up` from AWS's own image: ill hosts end with one line and the remedy each, and spoil no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.containers.running import ON_CONTAINERS
from tests.acceptance.containers.standing import ILL, First
from tests.command import Cli

pytestmark = ON_CONTAINERS


@pytest.mark.parametrize("fault", ILL)
def test_a_host_that_fails_is_told_with_the_remedy(first: First, fault: str) -> None:
    told = first.up.failures().values()
    assert [line for line in told if re.search(ILL[fault], line)], list(told)


def test_the_host_that_is_well_is_ready_though_its_link_was_cut(first: First) -> None:
    assert len(first.up.failures()) == len(ILL)
    assert first.member not in first.up.failures()
    assert any(f"1 of {len(ILL) + 1} ready" in line for line in first.up.lines)


def test_nobody_hides_behind_a_traceback(first: First) -> None:
    assert "Traceback" not in "\n".join(first.up.lines)


@pytest.mark.usefixtures("image")
def test_down_takes_every_host_away(hosts: Cli) -> None:
    """Those that are ill, and the one that is stopped."""
    down = hosts("--sandbox", "down", "first", "--yes")
    assert down.returncode == 0, down.stderr
    running = hosts.json("sandbox", "host", "list", "-o", "json")["hosts"]
    assert "first" not in {host["fleet"] for host in running}
    left = Path(hosts.environment["FLEET_SANDBOX_DIR"]) / "hosts"
    assert {entry.name for entry in left.iterdir()} == {host["instance_id"] for host in running}
