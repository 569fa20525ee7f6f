"""Twenty environments on a day on which EC2 has little left, real Jupyter each, on a small machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import boto3
import pytest

from tests.command import Cli, processes_of

MOST_MIB = 6 * 1024
SPEC = """
name: classroom
count: 20
image: {{framework: pytorch, os: ubuntu-24.04}}
instances: {{types: [g4dn.xlarge, g5.xlarge], market: on-demand}}
volume: 100GiB
access: {{from: [me], subnets: [{subnets}]}}
expires: 4h
"""
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")

REFUSED = (
    "g4dn.xlarge in us-east-1a, us-east-1b, us-east-1c",
    "g5.xlarge in us-east-1a, us-east-1b",
)
"""In the order of the plan's types."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_classroom_of_twenty(own: Cli, tmp_path: Path) -> None:
    """g4dn.xlarge is full everywhere, g5.xlarge in two of the three zones: all twenty come from the third."""
    spec = tmp_path / "classroom.yaml"
    spec.write_text(SPEC.format(subnets=", ".join(subnets_of(own))))
    own("sandbox", "fault", "add", "no-capacity", "--type", "g4dn.xlarge")
    for zone in ZONES[:2]:
        own("sandbox", "fault", "add", "no-capacity", "--type", "g5.xlarge", "--zone", zone)
    done = own("--sandbox", "up", str(spec), timeout=1500)
    assert done.returncode == 0, done.stderr
    refused = [line for line in done.stderr.splitlines() if "InsufficientInstanceCapacity" in line]
    for line, pools in zip(refused, REFUSED, strict=True):
        assert pools in line
        assert "the next pool is tried" in line

    found = own.json("--sandbox", "status", "classroom", "-o", "json")["environments"]
    assert [environment["state"] for environment in found] == ["ready"] * 20
    assert len({environment["jupyter_url"] for environment in found}) == 20
    places = Counter((e["instance_type"], e["availability_zone"]) for e in found)
    assert places == {("g5.xlarge", ZONES[2]): 20}
    used = memory_mib(own.folder / "sandbox")
    print(f"20 environments take {used:.0f} MiB")
    assert used < MOST_MIB
    names = own("--sandbox", "exec", "classroom", "--", "hostname").stdout.splitlines()
    assert len(set(names)) == 20
    receipt = own.json("--sandbox", "down", "classroom", "-o", "json")
    assert len(receipt["released"]["instances"]) == 20
    assert not any(receipt["remaining"].values())


def subnets_of(own: Cli) -> list[str]:
    """Start the sandbox; gives the default VPC's subnets of three zones."""
    assert own("sandbox", "start").returncode == 0
    settings = own.sandbox_environment()
    session = boto3.Session(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"])
    ec2 = session.client("ec2", "us-east-1", endpoint_url=settings["AWS_ENDPOINT_URL"])
    found = ec2.describe_subnets(Filters=[{"Name": "availability-zone", "Values": list(ZONES)}])
    return [subnet["SubnetId"] for subnet in found["Subnets"]]


def memory_mib(directory: Path) -> float:
    """Proportional memory of every process of a sandbox: what is shared counts once."""
    lines = [
        line
        for process in processes_of(directory)
        for line in (process / "smaps_rollup").read_text().splitlines()
        if line.startswith("Pss:")
    ]
    assert lines, f"no process of {directory} was found"
    return sum(int(line.split()[1]) for line in lines) / 1024
