"""Environments without public addresses, behind a real bastion: launched, proven and used through it alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Cli, InProcess, write_spec
from tests.ssh.bastions import BastionHost, bastion_host

pytestmark = pytest.mark.slow


@pytest.fixture
def bastion() -> Iterator[BastionHost]:
    with bastion_host() as running:
        yield running


@pytest.fixture
def inside(cli: Cli, bastion: BastionHost, tmp_path: Path) -> Cli:
    """The CLI of somebody who knows the bastion."""
    home = bastion.home(tmp_path / "home")
    return InProcess(cli.folder, {"HOME": str(home), "SSH_AUTH_SOCK": ""})


def test_a_fleet_behind_a_bastion(inside: Cli, bastion: BastionHost, tmp_path: Path) -> None:
    access = f'{{from: [172.31.0.0/16], via: {{bastion: "{bastion.target}"}}}}'
    spec = write_spec(tmp_path, "inside", access=access)
    report = inside.json("--sandbox", "up", str(spec), "-o", "json")
    assert [e["state"] for e in report["environments"]] == ["ready", "ready"]
    assert bastion.logins, "nothing else comes in"
    before = len(bastion.logins)
    again = inside.json("--sandbox", "up", str(spec), "-o", "json")
    assert again["environments"] == report["environments"]
    assert len(bastion.logins) <= before + 2, "environments share a connection"
    shown = inside.json("--sandbox", "exec", "-o", "json", "inside", "--", "echo", "hello")
    assert [outcome["stdout"] for outcome in shown["results"]] == ["hello\n", "hello\n"]
    (known := Path(inside.extra["HOME"]) / ".ssh/known_hosts").write_text("")
    done = inside("--sandbox", "exec", "inside", "--", "echo", "hello")
    assert done.returncode != 0
    assert "is not in your known_hosts" in done.stderr + done.stdout
    assert known.read_text() == ""
    assert inside("--sandbox", "down", "inside", "--yes").returncode == 0
