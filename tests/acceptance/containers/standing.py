"""The fleets that the tests of this folder share: a first one from AWS's own image, and one from an image of it.

On an image of ours a bootstrap finds everything in place: one host of all installs JupyterLab. The test that comes
first waits for all of it, more than a minute: a host boots, is cut off for 20 s, is sanitised, and three others boot.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.ssh.execute import execute
from fleet.workflows.bake.host import sanitise, scan
from tests.acceptance.aws import client
from tests.acceptance.builder import building
from tests.acceptance.containers.running import BOUND, Running, Start, add_fault, on_host
from tests.command import Cli, write_spec

ILL = {
    "other-host-key": r"shows an SSH host key \(SHA256:\S+\) that is not in the instance's console output: .*between",
    "failing-user-data": r"bootstrap step `cloud-init` failed .*: see `fleet logs first \w+ --of cloud-init`",
}
"""What is wrong with all hosts of the first fleet but one, and what is told of them."""
CUT_SECONDS = 20
MEMBERS = ("ana", "chloe", "Zoë Q")
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


@dataclass(frozen=True)
class First:
    """The first `up`, which has ended with exit code 3, and the one member who is ready."""

    up: Running
    member: str


def first_up(hosts: Cli, start: Start, folder: Path) -> First:
    """Start hosts that are ill and one that is not; that one is cut off in the middle of its bootstrap, and healed."""
    for fault in ILL:
        add_fault(hosts, "first", fault)
    up = start("--sandbox", "up", str(write_spec(folder, "first", members="[m0, m1, m2]")))
    step = re.search(r"\[(\w+)\] jupyter", up.wait_for(r"\[\w+\] jupyter", BOUND))
    assert step is not None
    member = step[1]
    assert hosts("sandbox", "host", "cut", f"first/{member}").returncode == 0
    time.sleep(CUT_SECONDS)
    assert hosts("sandbox", "host", "heal", f"first/{member}").returncode == 0
    assert up.end(BOUND) == 3, up.lines
    return First(up, member)


@dataclass(frozen=True)
class Image:
    """An image of the first fleet's host, and what was seen while the host was made ready for it."""

    image_id: str
    of_the_builder: frozenset[str]
    secrets: tuple[str, ...]
    found: frozenset[str]
    left: frozenset[str]
    ends_at: str
    refusal: str


def take_image(hosts: Cli, first: First) -> Image:
    """Plant what must not be on an image, sanitise the host, and take its image as a bake does."""
    of_the_builder = on_host(hosts, "first", first.member, OF_ONE_INSTANCE).splitlines()
    on_host(hosts, "first", first.member, PLANTED)
    with (
        pytest.MonkeyPatch.context() as patch,
        building(hosts, "first", patch, member=first.member) as builder,
    ):
        host, known, until = builder.host, builder.known, builder.deadline
        found = scan(host, known=known, sanitised=False, deadline=until)
        sanitise(host, deadline=until)
        left = scan(host, known=known, sanitised=True, deadline=until)
        request = "systemctl show --property NextElapseUSecRealtime --value fleet-expiry.timer"
        ends_at = execute(host.opened, request, deadline=until).stdout.strip()
    refused = hosts("--sandbox", "exec", "--member", first.member, "first", "--", "true")
    assert refused.returncode != 0
    return Image(
        image_id=_image_of(hosts, first),
        of_the_builder=frozenset(of_the_builder),
        secrets=known,
        found=frozenset(each.path for each in found),
        left=frozenset(each.path for each in left),
        ends_at=ends_at,
        refusal=refused.stderr,
    )


def _image_of(hosts: Cli, first: First) -> str:
    """Stopped first, for then the disk holds all."""
    told = hosts.json("--sandbox", "status", "first", "-o", "json")["environments"]
    (instance_id,) = (each["instance_id"] for each in told if each["member"] == first.member)
    ec2 = client(hosts, "ec2")
    ec2.stop_instances(InstanceIds=[instance_id])
    patience = {"Delay": 1, "MaxAttempts": 300}
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=patience)
    image_id: str = ec2.create_image(InstanceId=instance_id, Name="cast")["ImageId"]
    ec2.get_waiter("image_available").wait(ImageIds=[image_id], WaiterConfig=patience)
    return image_id


@dataclass(frozen=True)
class Studio:
    """A fleet from the image: what the first `up` of it said, and its spec for another."""

    lines: list[str]
    spec: str


def studio_up(hosts: Cli, image: Image, folder: Path) -> Studio:
    """Start the fleet whose environments are looked at."""
    members = ", ".join(f'"{member}"' for member in MEMBERS)
    spec = write_spec(folder, "studio", members=f"[{members}]", image=f"{{id: {image.image_id}}}")
    up = hosts("--sandbox", "up", str(spec))
    assert up.returncode == 0, up.stderr
    return Studio(up.stderr.splitlines(), str(spec))
