"""Hosts that are born bad in other ways than test_first_up.py has: each ends as stated, and is told with the remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.containers.running import BOUND, ON_CONTAINERS, Running, Start, add_fault
from tests.command import Cli, write_spec

pytestmark = [*ON_CONTAINERS, pytest.mark.deep]

DEADLINE = 75
"""Seconds for those that never end by themselves. What is asked of them does not depend on the machine's speed."""
ENDING = {
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


def up(start: Start, folder: Path, fleet: str, members: int, *more: str) -> Running:
    """Run `up` of a fleet to its end, which must be that not all are ready."""
    names = ", ".join(f"m{number}" for number in range(members))
    running = start("--sandbox", "up", str(write_spec(folder, fleet, members=f"[{names}]")), *more)
    assert running.end(BOUND) == 3, running.lines
    assert "Traceback" not in "\n".join(running.lines)
    return running


def down(hosts: Cli, fleet: str) -> None:
    """Hosts that want memory keep a machine busy."""
    gone = hosts("--sandbox", "down", fleet, "--yes")
    assert gone.returncode == 0, gone.stderr


def test_a_host_that_fails_is_told_with_the_remedy(
    hosts: Cli, start: Start, tmp_path: Path
) -> None:
    for fault in ENDING:
        add_fault(hosts, "bad", fault)
    running = up(start, tmp_path, "bad", len(ENDING))
    told = running.failures().values()
    assert len(told) == len(ENDING)
    for pattern in ENDING.values():
        assert [line for line in told if re.search(pattern, line)], (pattern, list(told))
    down(hosts, "bad")


def test_a_host_that_never_ends_is_given_up_with_the_remedy(
    hosts: Cli, start: Start, tmp_path: Path
) -> None:
    """The deadline passes, then a host whose link is whole again installs JupyterLab: more than a minute."""
    for fault in ENDLESS:
        add_fault(hosts, "late", fault)
    running = up(start, tmp_path, "late", len(ENDLESS), "--ready-within", f"{DEADLINE}s")
    told = running.failures().values()
    for fault, pattern in ENDLESS.items():
        if fault.startswith("lossy-link") and len(told) < len(ENDLESS):
            continue  # TCP brought it through after all
        assert [line for line in told if re.search(pattern, line)], (pattern, list(told))
    assert max(running.decided().values()) < DEADLINE + 60

    listed = hosts.json("sandbox", "host", "list", "-o", "json")["hosts"]
    (slow,) = (host for host in listed if host["link"] == "2mbit")
    assert hosts("sandbox", "host", "heal", slow["instance_id"]).returncode == 0
    again = hosts("--sandbox", "bootstrap", "late", "--member", slow["member"])
    assert again.returncode == 0, again.stderr
    assert "1 of 1 ready" in again.stderr
    down(hosts, "late")


def test_one_that_is_cut_off_for_good_is_told_and_the_others_stay(
    hosts: Cli, start: Start, tmp_path: Path
) -> None:
    """Two hosts install JupyterLab one after the other, and a deadline passes between: more than a minute."""
    (tmp_path / "one").mkdir()
    first = hosts("--sandbox", "up", str(write_spec(tmp_path / "one", "cut", members="[ana]")))
    assert first.returncode == 0, first.stderr
    spec = str(write_spec(tmp_path, "cut", members="[ana, frida]"))
    running = start("--sandbox", "up", spec, "--ready-within", "60s")
    running.wait_for(r"\[frida\] (uv|jupyter)", BOUND)
    assert hosts("sandbox", "host", "cut", "cut/frida").returncode == 0
    assert running.end(BOUND) == 3, running.lines
    assert any("1 of 2 ready" in line for line in running.lines)
    (told,) = running.failures().values()
    assert re.search(r"bootstrap step `\w+` was not over in time: .*--ready-within", told)
    assert running.decided()["frida"] < 60 + 30
    assert hosts("sandbox", "host", "heal", "cut/frida").returncode == 0
    again = hosts("--sandbox", "up", spec)
    assert again.returncode == 0, again.stderr
    down(hosts, "cut")
