"""Environments that switch themselves off, for real: by idling, at their expiry, before EC2 takes them back.

All at the same time on one fleet; each test goes on where the one before has ended. In test_lifetime_apart.py each
environment is used in one way alone.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.containers.evenings import (
    IDLE,
    PATIENCE,
    TICKS,
    Evening,
    Fleet,
    Session,
    Uses,
    begin,
    fleet_of,
    interrupt_the_cell,
    those_idle_end,
    those_used_stay,
)
from tests.acceptance.containers.running import BOUND, ON_CONTAINERS, Running, Start, add_fault
from tests.acceptance.containers.standing import Image
from tests.command import Cli, write_spec

pytestmark = ON_CONTAINERS

USES = Uses(cell="desk", terminal="desk", tmux="night", gpu="night", tab="left", shell="left")
SAVES = """mkdir -p ~/work
printf '#!/bin/sh\\necho saved by $(id -un) >~/saved-work\\n' >~/on-interruption
printf '#!/bin/sh\\necho $(id -un): "$@" >~/aws-said\\n' | sudo tee /usr/local/bin/aws >/dev/null
sudo chmod +x ~/on-interruption /usr/local/bin/aws"""


@pytest.fixture(scope="module")
def dawn(hosts: Cli, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """The `up` of an environment for a minute, whose SSH never answers."""
    add_fault(hosts, "dawn", "mute-ssh")
    folder = tmp_path_factory.mktemp("dawn")
    spec = write_spec(folder, "dawn", members="[ana]", expires="1m")
    return start("--sandbox", "up", str(spec), "--ready-within", "15s")


@pytest.fixture(scope="module")
def fleet(
    hosts: Cli, image: Image, dawn: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Its hosts boot while `dawn` waits in vain."""
    assert dawn.process.poll() is None or dawn.ended
    folder = tmp_path_factory.mktemp("evening")
    with fleet_of(hosts, image, folder, "evening", USES, "expired", "taken") as made:
        yield made


@pytest.fixture(scope="module")
def taken(fleet: Fleet) -> Session:
    """A shell of the one whose instance EC2 takes back, and what is to be saved there."""
    fleet.run("taken", SAVES)
    return fleet.ssh("taken")


@pytest.fixture(scope="module")
def evening(fleet: Fleet) -> Evening:
    """Everybody begins; on one host the check of the GPU fails."""
    fleet.run("expired", "echo lost | sudo tee /etc/gpu-load")
    return begin(fleet, "expired")


@pytest.mark.usefixtures("evening")
def test_before_ec2_takes_it_back_the_work_is_saved(fleet: Fleet, taken: Session) -> None:
    notice = ("spot-interruption", "--member", "taken", "--notice", "60s")
    assert fleet.cli("sandbox", "fault", "add", *notice).returncode == 0
    taken.wait_for("EC2 takes this Spot instance back in")
    deadline = time.monotonic() + PATIENCE
    said: dict[str, Any] = {}
    while (said.get("hook"), said.get("sync")) != ("done", "done"):
        assert time.monotonic() < deadline, said
        said = json.loads(fleet.run("taken", "cat /run/fleet/spot.json"))
    assert (said["state"], said["action"]) == ("interruption", "terminate")
    to = "s3 sync --only-show-errors /home/ubuntu/work s3://team-bucket/evening/taken"
    saved = fleet.run("taken", "cat saved-work aws-said")
    assert saved == f"saved by ubuntu\nubuntu: {to}\n"


def test_an_open_tab_and_a_shell_at_its_prompt_keep_nothing_up(
    fleet: Fleet, evening: Evening
) -> None:
    those_idle_end(fleet, evening)


def test_what_is_used_stays(fleet: Fleet, evening: Evening) -> None:
    those_used_stay(fleet, evening)
    assert fleet.states()["expired"] == "running"
    # A check that fails is not idle, and is told.
    said = fleet.heard()["expired"]["lifetime"]
    assert (said["state"], said["idle_seconds"]) == ("unknown", 0)
    assert "GPU: nvidia-smi failed with exit status 15" in said["reasons"]


def test_once_it_is_used_no_longer_it_ends(fleet: Fleet, evening: Evening) -> None:
    # The last that this one hears; see the next test.
    soon = "date -u -d '+20 seconds' +%Y-%m-%dT%H:%M:%SZ | sudo tee /etc/fleet/expires-at"
    fleet.run("expired", soon)
    assert fleet.cli("sandbox", "host", "cut", "evening/expired").returncode == 0
    over = time.monotonic()
    interrupt_the_cell(fleet)
    evening.terminal.type("\x03")
    fleet.run(USES.tmux, "pkill -x sleep; echo")
    fleet.run(USES.gpu, "echo 0 | sudo tee /etc/gpu-load")
    ended = fleet.wait_for_the_end(*USES.busy)
    assert ended - over > IDLE - TICKS


def test_it_expires_though_nobody_can_reach_it(fleet: Fleet, evening: Evening) -> None:
    """Nothing comes in, SSH no more than anything else; and a check that fails holds no expiry up."""
    fleet.wait_for_the_end("expired", "taken")
    listed = fleet.cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [each["instances"] for each in listed if each["fleet"] == "evening"] == [0]


def test_it_expires_though_its_ssh_never_came_up(hosts: Cli, dawn: Running) -> None:
    """The timer of the first boot alone: no bootstrap has been there."""
    assert dawn.end(BOUND) == 3, dawn.lines
    deadline = time.monotonic() + BOUND
    while "dawn" in {each["fleet"] for each in _running(hosts)}:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert hosts("--sandbox", "down", "dawn").returncode == 0


def _running(cli: Cli) -> list[dict[str, str]]:
    found: list[dict[str, str]] = cli.json("sandbox", "host", "list", "-o", "json")["hosts"]
    return found
