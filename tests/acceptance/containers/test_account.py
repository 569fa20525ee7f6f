"""`sudo: false` on hosts with real systemd, sudo and sshd: an account of the person's own, without root."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("containers")]

SCRIPT = "set -e\nid -un >~/who\nif sudo -n true; then exit 9; fi\ncat ~/data/numbers\n"


def test_the_person_has_an_account_without_root(hosts: Cli, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], timeout=60, check=True
    )
    public = key.with_suffix(".pub").read_text().strip()
    (tmp_path / "people.csv").write_text(f"member,ssh_key\nana,{public}\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/numbers").write_text("1 2 3\n")
    (tmp_path / "setup.sh").write_text(SCRIPT)
    wishes = "{packages: [einops], files: {./data: ~/data}, script: ./setup.sh"
    spec = write_spec(tmp_path, "locked", bootstrap=f"{wishes}, sudo: false}}")
    spec.write_text(spec.read_text().replace("members: [ana, ben]", "roster: people.csv"))
    (ana,) = hosts.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    assert (ana["state"], ana["reason"]) == ("ready", None)

    # Jupyter, TensorBoard and the script run as the account; its home is closed, and so is the operator's.
    users = as_operator(
        hosts, "ps -eo user:20,args | awk '/[.]fleet.jupyter/ {print $1}' | sort -u"
    )
    assert users == "member"
    assert (
        as_operator(hosts, "sudo cat /home/member/who /home/member/data/numbers") == "member\n1 2 3"
    )
    assert (
        as_operator(hosts, "sudo stat -c '%a %U' /home/member /home/member/data")
        == "700 member\n700 member"
    )
    kept = "sudo stat -c '%a %U' /home/member/.fleet/token /home/member/.fleet/server.pem"
    assert as_operator(hosts, kept) == "600 member\n600 member"

    # What switches it off is root's, and watches over the account.
    owned = as_operator(
        hosts, "stat -c '%a %U' /usr/local/lib/fleet/lifetime.py /etc/fleet/expires-at"
    )
    assert owned == "644 root\n644 root"
    watched = "tr '\\0' '\\n' </proc/$(systemctl show -p MainPID --value fleet-lifetime)/environ"
    assert "FLEET_PERSON_HOME=/home/member" in as_operator(hosts, f'sudo sh -c "{watched}"')
    beat = json.loads(as_operator(hosts, "cat /run/fleet/lifetime.json"))
    assert beat["state"] in {"busy", "idle"}, beat

    # Its own key opens the account, and the account alone.
    assert login(key, "member", ana["address"], "id -un; sudo -n true").stdout == "member\n"
    assert (
        login(key, "member", ana["address"], "cat /home/ubuntu/.fleet/asked.json").returncode == 1
    )
    assert login(key, "ubuntu", ana["address"], "true").returncode == 255

    again = hosts.json("--sandbox", "bootstrap", "locked", "-o", "json")["environments"]
    assert again == [ana]
    assert hosts("--sandbox", "down", "locked").returncode == 0


def as_operator(hosts: Cli, line: str) -> str:
    shown: dict[str, Any] = hosts.json("--sandbox", "exec", "-o", "json", "locked", "--", line)[
        "results"
    ][0]
    assert shown["exit_status"] == 0, json.dumps(shown)
    return str(shown["stdout"]).strip()


def login(key: Path, user: str, address: str, line: str) -> subprocess.CompletedProcess[str]:
    options = {
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
        # The host's key is looked at elsewhere.
        "StrictHostKeyChecking": "no",
        "UserKnownHostsFile": "/dev/null",
        "LogLevel": "ERROR",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return subprocess.run(
        ["ssh", "-F", "none", "-i", str(key), *flags, f"{user}@{address}", line],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
