"""Watchers on hosts that are processes: what they are told, when they start anew, and that they end the environment."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.acceptance.chromium import CERTUTIL, PROGRAM, chromium
from tests.acceptance.dusk import Dusk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("dusk")]

BOUND = 300.0
SHORTER = """sudo mkdir -p /etc/systemd/system/fleet-lifetime.service.d &&
printf '[Service]\\nEnvironment=FLEET_IDLE_SECONDS=20\\n' |
  sudo tee /etc/systemd/system/fleet-lifetime.service.d/short.conf >/dev/null &&
sudo systemctl daemon-reload && sudo systemctl restart fleet-lifetime.service"""
PIDS = "systemctl show -p MainPID --value fleet-lifetime fleet-spot fleet-jupyter fleet-tensorboard"


@pytest.fixture(scope="module")
def told(dusk: Dusk) -> str:
    """What `up` says of the fleet."""
    return dusk.up()


def test_the_plan_says_when_it_ends_and_what_is_saved(told: str) -> None:
    assert "idle       terminated after 1h without activity" in told
    assert (
        "saved      when EC2 takes a Spot Instance back: ~/work to s3://team-bucket/dusk/MEMBER"
        in told
    )


def test_status_says_that_both_watch(dusk: Dusk) -> None:
    deadline = time.monotonic() + BOUND
    while True:
        (ana,) = dusk.environments()
        heard = ana["watchers"]
        if heard and heard["lifetime"]["alive"] and heard["spot"]["alive"]:
            break
        assert time.monotonic() < deadline, ana
    assert heard["lifetime"]["idle_limit_seconds"] == 3600
    assert heard["lifetime"]["expires_at"] == ana["expires_at"]
    assert heard["spot"]["state"] == "quiet"


def test_another_idle_time_starts_one_watcher_anew(dusk: Dusk) -> None:
    before = dusk.said(PIDS).split()
    dusk.up(idle="45m")
    after = dusk.said(PIDS).split()
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    again = dusk.up(idle="45m")
    assert "ready: in place" in again
    assert dusk.said(PIDS).split() == after


def test_a_bootstrap_that_finds_all_in_place_starts_nothing_anew(dusk: Dusk) -> None:
    before = dusk.said(PIDS)
    done = dusk.cli("--sandbox", "bootstrap", "dusk")
    assert done.returncode == 0, done.stderr
    assert dusk.said(PIDS) == before


def test_the_instance_metadata_is_the_instance_s_own(dusk: Dusk) -> None:
    base = "$AWS_EC2_METADATA_SERVICE_ENDPOINT/latest"
    put = f'curl -s -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" "{base}/api/token"'
    ask = f'curl -s -H "X-aws-ec2-metadata-token: $({put})" "{base}/meta-data/instance-id"'
    (ana,) = dusk.environments()
    assert dusk.said(ask) == ana["instance_id"]


@contextmanager
def a_terminal_of_this_machine() -> Iterator[int]:
    """A terminal with a job in its foreground that is none of a host's: it keeps none up, and is warned of none."""
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    words = ["setsid", "--ctty", "sleep", "3600"]
    process = subprocess.Popen(words, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.skipif(
    PROGRAM is None or CERTUTIL is None,
    reason="chromium or certutil (libnss3-tools) is not installed: no tab was left open",
)
def test_nobody_uses_it_and_it_is_terminated_though_a_tab_is_open(dusk: Dusk) -> None:
    """The last one here. JupyterLab itself, with a folder under git before it, as somebody leaves it who goes home."""
    dusk.said("mkdir repository && cd repository && git init -q && touch notes.txt")
    profile, trusted = dusk.folder / "profile", dusk.authority()
    with a_terminal_of_this_machine() as terminal, chromium(profile, trusts=trusted) as browser:
        browser.open(dusk.url.replace("/lab?", "/lab/tree/repository/notes.txt?"))
        browser.wait_for("document.querySelector('.jp-FileEditor')")
        dusk.said(SHORTER)
        deadline = time.monotonic() + BOUND
        while dusk.environments():
            assert time.monotonic() < deadline, dusk.environments()
        with pytest.raises(BlockingIOError):  # nobody has written on it
            os.read(terminal, 1)
    listed = dusk.cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [each["instances"] for each in listed if each["fleet"] == "dusk"] == [0]
