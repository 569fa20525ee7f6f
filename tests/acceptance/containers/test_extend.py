"""Real timers: an extension is what systemd says, before and after a stop."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from tests.acceptance.aws import client
from tests.acceptance.containers.running import ON_CONTAINERS, on_host
from tests.acceptance.containers.standing import Studio
from tests.command import Cli

pytestmark = ON_CONTAINERS

TIMERS = (
    "TZ=UTC systemctl list-timers --all --no-legend fleet-expiry.timer; cat /etc/fleet/expires-at"
)


def asks_again(cli: Cli) -> list[str]:
    """By which times besides the calendar's the timer fires."""
    told = on_host(cli, "studio", "chloe", "systemctl show -p TimersMonotonic fleet-expiry.timer")
    return re.findall(r"On\w+=\S+", told)


def chloe_of(told: dict[str, Any]) -> dict[str, Any]:
    (found,) = (each for each in told["environments"] if each["member"] == "chloe")
    return dict(found)


def test_a_timer_fires_later_and_keeps_that_when_stopped(hosts: Cli, studio: Studio) -> None:
    chloe = chloe_of(hosts.json("--sandbox", "status", "studio", "-o", "json"))
    end = datetime.fromisoformat(chloe["expires_at"])
    assert f"{end:%Y-%m-%d %H:%M:%S}" in on_host(hosts, "studio", "chloe", TIMERS)

    again = asks_again(hosts)
    assert again == ["OnUnitInactiveUSec=2min"]
    extended = hosts("--sandbox", "extend", "studio", "2h")
    assert extended.returncode == 0, extended.stderr
    later = end + timedelta(hours=2)

    def holds() -> bool:
        timers, file = on_host(hosts, "studio", "chloe", TIMERS).splitlines()
        return timers.split(" UTC")[0].endswith(f"{later:%Y-%m-%d %H:%M:%S}") and (
            file == f"{later:%Y-%m-%dT%H:%M:%SZ}"
        )

    assert holds()
    assert asks_again(hosts) == again
    ec2, instance_id = client(hosts, "ec2"), chloe["instance_id"]
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )
    started = chloe_of(hosts.json("--sandbox", "up", studio.spec, "-o", "json"))
    assert started["instance_id"] == instance_id
    assert started["expires_at"] == f"{later:%Y-%m-%dT%H:%M:%SZ}"
    assert holds()
