"""`fleet access` on the real command line, against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Cli
from tests.sandbox.cloud.recording import Served, serve

pytestmark = pytest.mark.slow

CIDR = "198.51.100.0/24"


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI over a served cloud that has a fleet's security group and nothing else."""
    with serve() as served:
        yield over(served, tmp_path_factory.mktemp("access"))


def over(served: Served, folder: Path) -> Cli:
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
    values = {
        "AWS_ENDPOINT_URL": served.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "FLEET_CHECKIP_URL": f"{served.url}/checkip",
    }
    return Cli(folder, values)


def cidrs(access: Cli) -> dict[str, str]:
    shown = access.json("access", "show", "workshop", "-o", "json")
    assert shown["fleet"] == "workshop"
    assert shown["security_group_id"].startswith("sg-")
    for door in shown["ingress"]:
        assert door["ports"] == ["22", "6006", "8888"]
    return {door["cidr"]: door["by"] for door in shown["ingress"]}


def test_allow_refresh_and_revoke(access: Cli) -> None:
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


def test_the_whole_internet_is_asked_about(access: Cli) -> None:
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
def test_bad_input(access: Cli, arguments: tuple[str, ...], code: int, text: str) -> None:
    done = access("access", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert text in done.stderr
    assert "Traceback" not in done.stderr
