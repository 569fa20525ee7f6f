"""A fleet on hosts with real systemd, cloud-init and sshd: it comes, stays, survives what befalls hosts, and goes."""

from __future__ import annotations

import dataclasses
import json
import re
import ssl
import time
import urllib.request
from typing import Any

import pytest

from tests.acceptance.containers.running import BOUND, ON_CONTAINERS, on_host
from tests.acceptance.containers.standing import MEMBERS, Studio
from tests.command import Cli

pytestmark = ON_CONTAINERS

SERVICES = "fleet-jupyter fleet-tensorboard fleet-tensorboard-gate"


def environments(cli: Cli) -> dict[str, Any]:
    told = cli.json("--sandbox", "status", "studio", "-o", "json")
    return {each["member"]: each for each in told["environments"]}


def wait_until_ready(cli: Cli, member: str) -> None:
    """By the product's own look at it."""
    deadline = time.monotonic() + BOUND
    while environments(cli)[member]["state"] != "ready":
        assert time.monotonic() < deadline, environments(cli)[member]


def test_all_are_ready_and_their_keys_were_verified(hosts: Cli, studio: Studio) -> None:
    assert any(f"{len(MEMBERS)} of {len(MEMBERS)} ready" in line for line in studio.lines)
    verified = [line for line in studio.lines if "verified by the console output" in line]
    assert len(verified) == len(MEMBERS)
    assert {each["state"] for each in environments(hosts).values()} == {"ready"}


@pytest.mark.usefixtures("studio")
def test_it_was_cloud_init_that_made_the_host(hosts: Cli) -> None:
    result = on_host(hosts, "studio", "ana", "cat /run/cloud-init/result.json")
    assert json.loads(result)["v1"] == {"datasource": "DataSourceEc2", "errors": []}
    timer = on_host(hosts, "studio", "ana", "systemctl is-active fleet-expiry.timer")
    assert timer.strip() == "active"
    assert on_host(hosts, "studio", "ana", "systemctl list-units --failed --plain -q") == ""


@pytest.mark.usefixtures("studio")
def test_a_clock_that_jumps_to_the_expiry_ends_nobody(hosts: Cli) -> None:
    """The timer of the first boot would fire then: it leaves that to the watcher while it lives, and asks again."""
    fired = "sudo systemctl start fleet-expiry.service; systemctl show -p Result fleet-expiry"
    assert on_host(hosts, "studio", "ana", fired).strip() == "Result=exec-condition"
    again = on_host(
        hosts, "studio", "ana", "systemctl show -p NextElapseUSecMonotonic fleet-expiry.timer"
    )
    assert again.strip().rpartition("=")[2] not in {"", "0", "infinity"}


@pytest.mark.usefixtures("studio")
def test_the_timer_ends_a_host_whose_watcher_is_silent(hosts: Cli) -> None:
    """Looked at without the end: what the service asks first, with a heartbeat of long ago."""
    request = "systemctl cat fleet-expiry.service | sed 's|^ExecStart=.*|ExecStart=/bin/true|'"
    old = "echo '{\"boot_seconds\": 1.5}' | sudo tee /run/fleet/old.json"
    unit = "/run/systemd/system/fleet-asked.service"
    line = (
        f"{old}; {request} | sed s/lifetime.json/old.json/ | sudo tee {unit}; sudo systemctl daemon-reload;"
        " sudo systemctl start fleet-asked; systemctl show -p Result --value fleet-asked"
    )
    assert on_host(hosts, "studio", "Zoë Q", line).splitlines()[-1] == "success"


@pytest.mark.usefixtures("studio")
def test_the_urls_answer_from_the_machine(hosts: Cli) -> None:
    told = hosts.json("--sandbox", "urls", "studio", "-o", "json")
    (ana,) = (each for each in told["environments"] if each["member"] == "ana")
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    for url in (ana["jupyter_url"], ana["tensorboard_url"]):
        with urllib.request.urlopen(url, timeout=60, context=unverified) as answer:
            assert answer.status == 200


@pytest.mark.usefixtures("studio")
def test_nothing_leads_out_of_a_host(hosts: Cli) -> None:
    others = environments(hosts)["Zoë Q"]["address"]
    script = f"""for where in 192.0.2.2:80 {others}:22 {others}:8888; do
      timeout 2 bash -c "</dev/tcp/${{where/://}}" 2>/dev/null && echo "$where"; done; true"""
    assert on_host(hosts, "studio", "ana", script) == ""


@pytest.mark.usefixtures("studio")
def test_the_shell_completes_the_hosts_by_member(hosts: Cli) -> None:
    request = {
        "_FLEET_COMPLETE": "bash_complete",
        "COMP_WORDS": "fleet sandbox host cut c",
        "COMP_CWORD": "4",
    }
    told = dataclasses.replace(hosts, extra=request)()
    assert told.stdout.splitlines() == ["plain,chloe"]


def test_a_second_up_changes_nothing(hosts: Cli, studio: Studio) -> None:
    before = on_host(hosts, "studio", "ana", f"systemctl show -p MainPID --value {SERVICES}")
    again = hosts("--sandbox", "up", studio.spec)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("ready: in place") == len(MEMBERS)
    after = on_host(hosts, "studio", "ana", f"systemctl show -p MainPID --value {SERVICES}")
    assert after == before


@pytest.mark.usefixtures("studio")
def test_a_killed_unit_comes_back(hosts: Cli) -> None:
    pid = "systemctl show -p MainPID --value fleet-jupyter"
    before = on_host(hosts, "studio", "Zoë Q", f"{pid}; sudo systemctl kill -s KILL fleet-jupyter")
    wait_until_ready(hosts, "Zoë Q")
    assert on_host(hosts, "studio", "Zoë Q", pid) not in {before, "0\n"}


@pytest.mark.usefixtures("studio")
def test_the_journal_is_what_fleet_logs_shows(hosts: Cli) -> None:
    shown = hosts("--sandbox", "logs", "studio", "ana", "-n", "200")
    assert shown.returncode == 0, shown.stderr
    assert "Started fleet-jupyter.service" in shown.stdout
    assert "Jupyter Server" in shown.stdout
    assert "TensorBoard" in shown.stdout
    boot = hosts("--sandbox", "logs", "studio", "ana", "--of", "cloud-init").stdout
    assert re.search(r"Cloud-init .* finished .*DataSourceEc2", boot)
    assert "jupyter" in hosts("--sandbox", "logs", "studio", "ana", "--of", "bootstrap").stdout


@pytest.mark.usefixtures("studio")
def test_a_host_reboots_and_everything_comes_back(hosts: Cli) -> None:
    boot = "cat /proc/sys/kernel/random/boot_id; systemctl show -p UserspaceTimestampMonotonic"
    before = on_host(hosts, "studio", "chloe", f"{boot}; systemctl show -p MainPID fleet-jupyter")
    assert hosts("sandbox", "host", "reboot", "chloe").returncode == 0
    deadline = time.monotonic() + BOUND
    while environments(hosts)["chloe"]["state"] == "ready":
        assert time.monotonic() < deadline
    wait_until_ready(hosts, "chloe")
    active = on_host(hosts, "studio", "chloe", f"systemctl is-active {SERVICES} fleet-expiry.timer")
    assert active.split() == ["active"] * 4
    after = on_host(hosts, "studio", "chloe", f"{boot}; systemctl show -p MainPID fleet-jupyter")
    assert after != before
