"""Stock clients against a host with a real sshd: what `fleet ssh-config` and `fleet inventory` write serves them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.acceptance.containers.running import ON_CONTAINERS
from tests.acceptance.test_stock_clients import Clients
from tests.command import FLEET, Cli

pytestmark = ON_CONTAINERS


@pytest.mark.usefixtures("studio")
def test_ssh_scp_rsync_and_ansible(hosts: Cli, tmp_path: Path) -> None:
    config = hosts("--sandbox", "ssh-config", "studio").stdout.strip()
    clients = Clients(hosts, Path(config), tmp_path)
    ssh = ("ssh", "-F", config)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/numbers").write_text("1 2 3\n")
    script = tmp_path / "stock.sh"
    script.write_text(f'#!/bin/sh\nexec {FLEET} --sandbox inventory studio "$@"\n')
    script.chmod(0o755)
    for words in (
        ("scp", "-q", "-F", config, "data/numbers", "studio-zoe-q:by-scp"),
        ("rsync", "-a", "-e", shlex.join(ssh), "data/", "studio-zoe-q:by-rsync/"),
        (*ssh, "studio-zoe-q", "cat by-scp by-rsync/numbers && systemctl is-active fleet-jupyter"),
        (str(Path(sys.executable).with_name("ansible")), "-i", str(script), "studio", "-m", "ping"),
    ):
        # Without a connection that is kept: its socket's path would be too long here, and its ssh would outlive us.
        own = {"ANSIBLE_HOST_KEY_CHECKING": "True", "ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}
        done = clients.run(*words, ANSIBLE_NOCOLOR="1", **own)
        assert done.returncode == 0, (words[0], done.stdout, done.stderr)
        if words[0] == "ssh":
            assert done.stdout == "1 2 3\n1 2 3\nactive\n"
    assert '"ping": "pong"' in done.stdout
