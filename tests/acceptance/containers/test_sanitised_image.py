"""A host with real systemd, cloud-init and sshd is sanitised: what starts from its disk is another host, and ready."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from fleet.ssh.execute import execute
from fleet.workflows.bake.host import sanitise, scan
from tests.acceptance.builder import building
from tests.acceptance.containers.conftest import on_host
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

PLANTED = """
mkdir -p ~/.aws ~/.config/gh && echo 'aws_access_key_id = AKIAQYLPMN5HHHFPZAM2' >~/.aws/credentials
echo 'export A_TOKEN=9f8e7d6c5b4a39281706' | tee -a ~/.bash_history | sudo tee -a /root/.bash_history
echo 'login with https://bob:s3cr3tpw9@git.example.org/x' | sudo tee -a /var/log/setup.log
echo "machine a login b password s3cr3tpw9" >~/.netrc
echo kept >~/kept
"""
OF_ONE_INSTANCE = """
cat /etc/machine-id
sudo cat /etc/ssh/ssh_host_ed25519_key.pub ~/.ssh/authorized_keys ~/.fleet/token | cut -c1-200
hostname
"""


def test_nothing_of_the_builder_is_on_what_starts_from_its_image(
    hosts: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = hosts.json("--sandbox", "up", str(spec(tmp_path, "mould")), "-o", "json")[
        "environments"
    ]
    before = on_host(hosts, "mould", "solo", OF_ONE_INSTANCE).splitlines()
    on_host(hosts, "mould", "solo", PLANTED)
    with building(hosts, "mould", monkeypatch) as open_builder:
        host, until = open_builder.host, open_builder.deadline
        found = scan(host, known=open_builder.known, sanitised=False, deadline=until)
        assert {each.path for each in found} == {
            "/home/ubuntu/.aws/credentials",
            "/home/ubuntu/.bash_history",
            "/home/ubuntu/.netrc",
            "/root/.bash_history",
            "/var/log/setup.log",
        }
        sanitise(host, deadline=until)
        assert scan(host, known=open_builder.known, sanitised=True, deadline=until) == ()
        known = open_builder.known
        request = "systemctl show --property NextElapseUSecRealtime --value fleet-expiry.timer"
        end = execute(host.opened, request, deadline=until).stdout.strip()
        assert end not in {"", "n/a"}, "a builder that is forgotten still ends itself"
    refused = hosts("--sandbox", "exec", "mould", "--", "true")
    assert refused.returncode != 0
    assert "no SSH connection" in refused.stderr, "its server has no key by which to be known"

    image = image_of(old["instance_id"])
    again = spec(tmp_path, "cast", image=f"{{id: {image}}}")
    up = hosts("--sandbox", "up", str(again))
    assert up.returncode == 0, up.stderr
    after = on_host(hosts, "cast", "solo", OF_ONE_INSTANCE).splitlines()
    assert len(after) == len(before)
    assert not set(after) & set(before)
    assert on_host(hosts, "cast", "solo", "cat ~/kept; ls -A ~/.aws 2>&1 | tail -1").startswith(
        "kept\nls:"
    )
    look = "systemctl is-active fleet-lifetime fleet-jupyter fleet-expiry.timer | sort -u; systemctl --failed -q"
    assert on_host(hosts, "cast", "solo", look).split() == ["active"]
    with building(hosts, "cast", monkeypatch) as fresh:
        assert scan(fresh.host, known=known, sanitised=False, deadline=fresh.deadline) == ()
    for fleet in ("mould", "cast"):
        assert hosts("--sandbox", "down", fleet).returncode == 0


def spec(folder: Path, name: str, **changes: str) -> Path:
    return write_spec(folder, name, members="[solo]", **changes)


def image_of(instance_id: str) -> str:
    """As a bake does it: stopped first, for then the disk holds all."""
    ec2: Any = boto3.Session(region_name="us-east-1").client("ec2")
    ec2.stop_instances(InstanceIds=[instance_id])
    patience = {"Delay": 1, "MaxAttempts": 300}
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=patience)
    image: str = ec2.create_image(InstanceId=instance_id, Name="cast")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image], WaiterConfig=patience)
    return image
