"""Logins as OpenSSH and Ansible read them: `ssh -G` says what ssh makes of a configuration."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.plan.handout.ansible import inventory_json
from fleet.plan.handout.logins import Login, LoginFiles, known_hosts_text, ssh_config_text

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAA"
ANA = Login("ana", "w-s-ana", "i-0a", "203.0.113.7", 22, "ubuntu", KEY, "")
BEN = Login(
    'Ben "B" {{ 1 }}', "w-s-ben-b-1", "i-0b", "172.31.0.8", 2222, "ec2-user", KEY,
    "ssh -o StrictHostKeyChecking=yes -p 22 -W %h:%p me@bastion.example.org",
)  # fmt: skip
FILES = LoginFiles('/home/a b/100%/"k"/ssh-key', '/home/a b/100%/"k"/known_hosts')


def settings(text: str, host: str, folder: Path) -> dict[str, str]:
    """What ssh makes of it for one host."""
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed: nobody has read the configuration")
    (file := folder / "config").write_text(text)
    file.chmod(0o600)
    done = subprocess.run(
        ["ssh", "-G", "-F", str(file), host],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


def test_ssh_reads_what_was_meant(tmp_path: Path) -> None:
    text = ssh_config_text(
        "w-s", [ANA, BEN], FILES, absent={"Cyd\u00e9": "its instance is stopped"}
    )
    ana = settings(text, "w-s-ana", tmp_path)
    assert ana["hostname"] == "203.0.113.7"
    assert (ana["user"], ana["port"]) == ("ubuntu", "22")
    assert ana["stricthostkeychecking"] in {"yes", "true"}
    assert ana["hostkeyalias"] == "fleet-i-0a"
    assert ana["identitiesonly"] == "yes"
    assert "proxycommand" not in ana
    ben = settings(text, "w-s-ben-b-1", tmp_path)
    assert (ben["user"], ben["port"]) == ("ec2-user", "2222")
    assert ben["proxycommand"] == BEN.proxy
    other = settings(text, "elsewhere", tmp_path)
    assert other["hostname"] == "elsewhere"
    assert "hostkeyalias" not in other


def test_odd_paths_are_found(tmp_path: Path) -> None:
    folder = tmp_path / 'a b/100%/"k"'
    folder.mkdir(parents=True)
    files = LoginFiles(str(folder / "ssh-key"), str(folder / "known_hosts"))
    found = settings(ssh_config_text("w-s", [ANA], files, absent={}), "w-s-ana", tmp_path)
    assert found["identityfile"].replace("%%", "%") == files.key
    assert found["userknownhostsfile"].replace("%%", "%") == files.known_hosts


def test_keys_are_pinned_by_instance() -> None:
    assert known_hosts_text([ANA, BEN]) == f"fleet-i-0a {KEY}\nfleet-i-0b {KEY}\n"


def test_the_inventory_is_ansibles() -> None:
    files = LoginFiles("/k/ssh-key", "/k/known_hosts")
    found = inventory_json("w-s", [ANA, replace(BEN, port=22)], files)
    assert found["w_s"] == {"hosts": ["w-s-ana", "w-s-ben-b-1"]}
    ana = found["_meta"]["hostvars"]["w-s-ana"]
    assert ana["ansible_host"] == "203.0.113.7"
    assert ana["fleet_member"] == "ana"
    words = shlex.split(ana["ansible_ssh_common_args"])
    assert words[::2] == ["-o"] * (len(words) // 2)
    assert 'UserKnownHostsFile="/k/known_hosts"' in words
    assert "StrictHostKeyChecking=yes" in words
    ben = found["_meta"]["hostvars"]["w-s-ben-b-1"]
    assert f"ProxyCommand={BEN.proxy}" in shlex.split(ben["ansible_ssh_common_args"])
    assert ben["fleet_member"] == {"__ansible_unsafe": BEN.member}
    json.dumps(found)
