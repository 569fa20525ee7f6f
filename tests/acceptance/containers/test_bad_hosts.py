"""Hosts that are born bad: each ends as stated, with one line and the remedy, and spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.containers.conftest import Running, Start
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BOUND = 900.0
DEADLINE = 75
"""Seconds for those that never end by themselves. What is asked of them does not depend on the machine's speed."""
ENDING = {
    "other-host-key": r"shows an SSH host key \(SHA256:\S+\) that is not in the instance's console output: .*between",
    "failing-user-data": r"bootstrap step `cloud-init` failed .*: see `fleet logs bad \w+ --of cloud-init`",
    "small-disk --size 100MiB": r"bootstrap step `\w+` failed: the disk is full: ask for a larger `volume:`",
    "small-memory --size 90MiB": r"too little memory.*: choose an instance type with more memory",
    "no-packages": r"bootstrap step `uv` failed: the package index does not answer it: .*way out",
}
ENDLESS = {
    "mute-ssh": r"something accepts the connection, but no SSH server answers .*: check .*console output",
    "other-user": r"refuses the fleet's key: check that the image's login user is right",
    "slow-link --rate 2mbit": r"not over in time: its link may be slow or lost.*--ready-within",
    "lossy-link --share 30%": r"not over in time: its link|no SSH connection|SSH connection to \S+ broke",
}


def up(
    hosts: Cli, start: Start, folder: Path, fleet: str, faults: list[str], *more: str
) -> Running:
    """Start `up` of a fleet that has a host with each of the faults, and one without."""
    for fault in faults:
        words = [*fault.split(), "--fleet", fleet, "--instances", "1"]
        added = hosts("sandbox", "fault", "add", *words)
        assert added.returncode == 0, added.stderr
    members = ", ".join(f"m{number}" for number in range(len(faults) + 1))
    spec = write_spec(folder, fleet, members=f"[{members}]")
    return start("--sandbox", "up", str(spec), *more)


@pytest.fixture(scope="module")
def bad(
    hosts: Cli, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Running]]:
    """Both fleets at the same time; they go at the end, for hosts that want memory keep a machine busy."""
    folder = tmp_path_factory.mktemp("specs")
    deadline = ("--ready-within", f"{DEADLINE}s")
    running = {
        "bad": up(hosts, start, folder, "bad", list(ENDING)),
        "late": up(hosts, start, folder, "late", list(ENDLESS), *deadline),
    }
    for each in running.values():
        assert each.end(BOUND) == 3, each.lines
    yield running
    for fleet in running:
        down = hosts("--sandbox", "down", fleet, "--yes")
        assert down.returncode == 0, down.stderr


def failures(running: Running) -> dict[str, str]:
    """One line for each member that is not ready."""
    failed = re.findall(r"✗ \[(\w+)\] failed: (.*)", "\n".join(running.lines))
    assert len(dict(failed)) == len(failed)
    return dict(failed)


@pytest.mark.parametrize("fault", ENDING)
def test_a_host_that_fails_is_told_with_the_remedy(bad: dict[str, Running], fault: str) -> None:
    told = failures(bad["bad"]).values()
    assert [line for line in told if re.search(ENDING[fault], line)], list(told)


def test_the_host_that_is_well_is_ready(bad: dict[str, Running]) -> None:
    assert len(failures(bad["bad"])) == len(ENDING)
    assert any(f"1 of {len(ENDING) + 1} ready" in line for line in bad["bad"].lines)


@pytest.mark.parametrize("fault", ENDLESS)
def test_a_host_that_never_ends_is_given_up_with_the_remedy(
    bad: dict[str, Running], fault: str
) -> None:
    told = failures(bad["late"]).values()
    if fault.startswith("lossy-link") and len(told) < len(ENDLESS):
        return  # TCP brought it through after all
    assert [line for line in told if re.search(ENDLESS[fault], line)], list(told)


def test_they_are_given_up_within_the_deadline(bad: dict[str, Running]) -> None:
    ended = re.findall(r"^ *([\d.]+)s [✗✓] \[\w+\]", "\n".join(bad["late"].lines), re.MULTILINE)
    assert max(map(float, ended)) < DEADLINE + 60


@pytest.mark.usefixtures("bad")
def test_a_slow_host_is_ready_once_its_link_is_whole(hosts: Cli) -> None:
    running = hosts.json("sandbox", "host", "list", "-o", "json")["hosts"]
    (slow,) = (host for host in running if host["link"] == "2mbit")
    assert hosts("sandbox", "host", "heal", slow["instance_id"]).returncode == 0
    again = hosts("--sandbox", "bootstrap", "late", "--member", slow["member"])
    assert again.returncode == 0, again.stderr
    assert "1 of 1 ready" in again.stderr


def test_nobody_hides_behind_a_traceback(bad: dict[str, Running]) -> None:
    for each in bad.values():
        assert "Traceback" not in "\n".join(each.lines)
