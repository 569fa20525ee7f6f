"""Environments run longer, say how they stand, and what was not reached keeps its end: the real command, real hosts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_renewal import client
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def status(cli: Cli) -> dict[str, dict[str, Any]]:
    told = cli.json("--sandbox", "status", "longer", "-o", "json")
    return {each["member"]: each for each in told["environments"]}


def later(end: str, hours: int) -> str:
    moved = datetime.fromisoformat(end) + timedelta(hours=hours)
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


def on_machine(cli: Cli, environment: dict[str, Any]) -> str:
    """When a machine's watcher ends it."""
    host = cli.folder / "sandbox" / "hosts" / str(environment["instance_id"])
    return (host / "root/etc/fleet/expires-at").read_text().strip()


def test_a_fleet_runs_longer(own: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "longer", idle="1h")
    up = own("--sandbox", "up", str(spec))
    assert up.returncode == 0, up.stderr
    before = status(own)
    end = before["ana"]["expires_at"]
    for each in before.values():
        assert each["watchers"]["lifetime"]["alive"] is True
        assert each["watchers"]["lifetime"]["idle_limit_seconds"] == 3600
        assert each["watchers"]["spot"] is None
        assert on_machine(own, each) == end

    # One alone; then all of them, of whom one is stopped and cannot be told.
    ana = own("--sandbox", "extend", "longer", "1h", "--member", "ana")
    assert ana.returncode == 0, ana.stderr
    assert f"ana  {end} -> {later(end, 1)}  $1.01/h: $1.01" in ana.stderr
    assert [status(own)[m]["expires_at"] for m in ("ana", "ben")] == [later(end, 1), end]
    ec2, ben = client(own, "ec2"), before["ben"]["instance_id"]
    ec2.stop_instances(InstanceIds=[ben])
    ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[ben], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    until = later(end, 2)
    partly = own("--sandbox", "extend", "longer", "--until", until, "-o", "json")
    assert partly.returncode == 3, partly.stderr
    one, other = json.loads(partly.stdout)["environments"]
    assert (one["extended"], one["expires_at"], one["usd"]) == (True, until, 1.006)
    assert (other["extended"], other["expires_at"]) == (False, end)
    assert "ben is stopped" in other["reason"]
    assert partly.stderr.splitlines()[-1] == (
        f"not extended: ben; `fleet --sandbox extend longer --until {until} --member ben` tries again"
    )

    # Started again it still has the end that its tag says; then it is extended too, and nobody twice.
    assert own("--sandbox", "up", str(spec)).returncode == 0
    assert status(own)["ben"]["expires_at"] == on_machine(own, before["ben"]) == end
    again = own("--sandbox", "extend", "longer", "--until", until)
    assert again.returncode == 0, again.stderr
    assert "(that long already: ana)" in again.stderr
    for each in status(own).values():
        assert each["expires_at"] == on_machine(own, each) == until

    # A watcher that died is told, and starts again.
    line = "sudo systemctl stop fleet-lifetime && sudo rm /run/fleet/lifetime.json"
    own.json("--sandbox", "exec", "--member", "ana", "-o", "json", "longer", "--", line)
    shown = own("--sandbox", "status", "longer").stdout
    assert (
        "  fleet-lifetime has not been heard of at all: `fleet --sandbox logs longer ana`" in shown
    )
    mended = own("--sandbox", "bootstrap", "longer", "--member", "ana")
    assert mended.returncode == 0, mended.stderr
    assert status(own)["ana"]["watchers"]["lifetime"]["alive"] is True
    assert on_machine(own, before["ana"]) == until


def test_bad_input_is_one_line(own: Cli) -> None:
    for arguments, said in (
        (("nobody",), "how much longer is not clear"),
        (("nobody", "2"), "DURATION '2' has no unit: write 2h for hours"),
        (("nobody", "--until", "18:00"), "'18:00' is not a time: write it like 2026-11-21T18:00Z"),
        (("nobody", "2h"), "there is no fleet nobody"),
    ):
        done = own("--sandbox", "extend", *arguments)
        assert done.returncode in {1, 2}
        assert said in done.stderr.splitlines()[-1]
