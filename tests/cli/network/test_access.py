"""`fleet access` on the command line, over a cloud that has a fleet's security group and nothing else."""

from __future__ import annotations

import pytest

from tests.command import InProcess
from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow

CIDR = "198.51.100.0/24"


@pytest.fixture
def access(served: Served, own: InProcess) -> InProcess:
    vpc = served.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    served.ec2.create_security_group(
        GroupName="fleet-workshop",
        Description="a fleet's",
        VpcId=vpc,
        TagSpecifications=[
            {
                "ResourceType": "security-group",
                "Tags": [{"Key": "fleet:name", "Value": "workshop"}],
            }
        ],
    )
    return own


def cidrs(access: InProcess) -> dict[str, str]:
    shown = access.json("access", "show", "workshop", "-o", "json")
    assert shown["fleet"] == "workshop"
    assert shown["security_group_id"].startswith("sg-")
    for door in shown["ingress"]:
        assert door["ports"] == ["22", "6006", "8888"]
    return {door["cidr"]: door["by"] for door in shown["ingress"]}


def test_allow_refresh_and_revoke(access: InProcess) -> None:
    done = access("access", "allow", "workshop", CIDR, "2001:db8::/32")
    assert done.returncode == 0, done.stderr
    assert CIDR in done.stdout
    assert cidrs(access) == {CIDR: "allow", "2001:db8::/32": "allow"}
    assert access("access", "refresh", "workshop").returncode == 0
    assert access("access", "refresh", "workshop").returncode == 0
    assert cidrs(access) == {CIDR: "allow", "2001:db8::/32": "allow", "127.0.0.1/32": "up"}
    done = access("access", "revoke", "workshop", CIDR, "2001:db8::/32", "me")
    assert done.returncode == 0, done.stderr
    assert "nobody may come in" in done.stderr
    assert cidrs(access) == {}


def test_the_whole_internet_is_asked_about(access: InProcess) -> None:
    done = access("access", "allow", "workshop", "0.0.0.0/0")
    assert done.returncode == 2
    assert "this opens the fleet to the whole internet" in done.stderr
    assert done.stderr.endswith("pass --yes\n")
    assert cidrs(access) == {}
    assert access("access", "allow", "workshop", "0.0.0.0/0", "--yes").returncode == 0
    assert cidrs(access) == {"0.0.0.0/0": "allow"}
    assert access("access", "revoke", "workshop", "0.0.0.0/0").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ("allow", "workshop", "10.0.0.1"),
            2,
            "'10.0.0.1' is an address, not a CIDR: write 10.0.0.1/32",
        ),
        (("allow", "workshop"), 2, "CIDR"),
        (("show", "elsewhere"), 1, "fleet elsewhere has no security group in us-east-1"),
        (("revoke", "workshop", "192.0.2.0/24"), 1, "192.0.2.0/24 may not come in"),
    ],
)
def test_bad_input(access: InProcess, arguments: tuple[str, ...], code: int, text: str) -> None:
    done = access("access", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
