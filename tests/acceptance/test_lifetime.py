"""Watchers on hosts that are processes: what they are told, when they start anew, and that they end the environment."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.chromium import CERTUTIL, PROGRAM, chromium
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

BOUND = 300.0
SHORTER = """sudo mkdir -p /etc/systemd/system/fleet-lifetime.service.d &&
printf '[Service]\\nEnvironment=FLEET_IDLE_SECONDS=20\\n' |
  sudo tee /etc/systemd/system/fleet-lifetime.service.d/short.conf >/dev/null &&
sudo systemctl daemon-reload && sudo systemctl restart fleet-lifetime.service"""
PIDS = "systemctl show -p MainPID --value fleet-lifetime fleet-spot fleet-jupyter fleet-tensorboard"


@dataclass(frozen=True)
class Spot:
    """A fleet of one on Spot."""

    cli: Cli
    folder: Path

    def up(self, **changes: str) -> str:
        """Bring it up by its spec with changes; give what was told."""
        market = "{types: [g4dn.xlarge], market: spot}"
        spec = write_spec(self.folder, "dusk", members="[ana]", instances=market, **changes)
        done = self.cli("--sandbox", "up", str(spec))
        assert done.returncode == 0, done.stderr
        return done.stderr

    def said(self, line: str) -> str:
        """Run a line on the host."""
        told = self.cli.json("--sandbox", "exec", "-o", "json", "dusk", "--", line)["results"][0]
        assert told["exit_status"] == 0, told
        return str(told["stdout"])

    def environments(self) -> list[dict[str, Any]]:
        told = self.cli("--sandbox", "status", "dusk", "-o", "json")
        found: list[dict[str, Any]] = json.loads(told.stdout)["environments"] if told.stdout else []
        return found


@pytest.fixture(scope="module")
def dusk(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spot]:
    fleet = Spot(cli, tmp_path_factory.mktemp("dusk"))
    told = fleet.up(idle="60m", interruption="{sync: {~/work: s3://team-bucket/dusk}}")
    assert "idle       terminated after 1h without activity" in told
    assert (
        "saved      when EC2 takes a Spot Instance back: ~/work to s3://team-bucket/dusk/MEMBER"
        in told
    )
    yield fleet
    cli("--sandbox", "down", "dusk")


def test_status_says_that_both_watch(dusk: Spot) -> None:
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


def test_another_idle_time_starts_one_watcher_anew(dusk: Spot) -> None:
    before = dusk.said(PIDS).split()
    dusk.up(idle="45m", interruption="{sync: {~/work: s3://team-bucket/dusk}}")
    after = dusk.said(PIDS).split()
    assert after[0] != before[0]
    assert after[1:] == before[1:]
    again = dusk.up(idle="45m", interruption="{sync: {~/work: s3://team-bucket/dusk}}")
    assert "ready: in place" in again
    assert dusk.said(PIDS).split() == after


def test_a_bootstrap_that_finds_all_in_place_starts_nothing_anew(dusk: Spot) -> None:
    before = dusk.said(PIDS)
    done = dusk.cli("--sandbox", "bootstrap", "dusk")
    assert done.returncode == 0, done.stderr
    assert dusk.said(PIDS) == before


def test_the_instance_metadata_is_the_instance_s_own(dusk: Spot) -> None:
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
def test_nobody_uses_it_and_it_is_terminated_though_a_tab_is_open(dusk: Spot) -> None:
    """JupyterLab itself, with a folder under git before it, as somebody leaves it who goes home."""
    dusk.said("mkdir repository && cd repository && git init -q && touch notes.txt")
    authority = dusk.folder / "authority.pem"
    authority.write_text(dusk.cli("--sandbox", "ca", "dusk").stdout)
    (ana,) = dusk.cli.json("--sandbox", "urls", "dusk", "-o", "json")["environments"]
    profile = dusk.folder / "profile"
    profile.mkdir()
    with a_terminal_of_this_machine() as terminal, chromium(profile, trusts=authority) as browser:
        browser.open(ana["jupyter_url"].replace("/lab?", "/lab/tree/repository/notes.txt?"))
        browser.wait_for("document.querySelector('.jp-FileEditor')")
        dusk.said(SHORTER)
        deadline = time.monotonic() + BOUND
        while dusk.environments():
            assert time.monotonic() < deadline, dusk.environments()
        with pytest.raises(BlockingIOError):  # nobody has written on it
            os.read(terminal, 1)
    listed = dusk.cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [each["instances"] for each in listed if each["fleet"] == "dusk"] == [0]
