"""Real timers: an extension is what systemd says, before and after a stop."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.containers.conftest import on_host
from tests.acceptance.test_renewal import client
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

TIMERS = (
    "TZ=UTC systemctl list-timers --all --no-legend fleet-expiry.timer; cat /etc/fleet/expires-at"
)


def asks_again(cli: Cli) -> list[str]:
    """By which times besides the calendar's the timer fires."""
    told = on_host(cli, "longer", "solo", "systemctl show -p TimersMonotonic fleet-expiry.timer")
    return re.findall(r"On\w+=\S+", told)


def test_a_timer_fires_later_and_keeps_that_when_stopped(hosts: Cli, tmp_path: Path) -> None:
    spec = str(write_spec(tmp_path, "longer", members="[solo]"))
    (solo,) = hosts.json("--sandbox", "up", spec, "-o", "json")["environments"]
    end = datetime.fromisoformat(solo["expires_at"])
    assert f"{end:%Y-%m-%d %H:%M:%S}" in on_host(hosts, "longer", "solo", TIMERS)

    again = asks_again(hosts)
    assert again == ["OnUnitInactiveUSec=2min"]
    extended = hosts("--sandbox", "extend", "longer", "2h")
    assert extended.returncode == 0, extended.stderr
    later = end + timedelta(hours=2)

    def holds() -> bool:
        timers, file = on_host(hosts, "longer", "solo", TIMERS).splitlines()
        return timers.split(" UTC")[0].endswith(f"{later:%Y-%m-%d %H:%M:%S}") and (
            file == f"{later:%Y-%m-%dT%H:%M:%SZ}"
        )

    assert holds()
    assert asks_again(hosts) == again
    ec2, instance_id = client(hosts, "ec2"), solo["instance_id"]
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )
    (started,) = hosts.json("--sandbox", "up", spec, "-o", "json")["environments"]
    assert started["instance_id"] == instance_id
    assert started["expires_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
    assert holds()
    assert hosts("--sandbox", "down", "longer", "--yes").returncode == 0
