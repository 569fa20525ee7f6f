"""A classroom on a day on which EC2 has little left, real Jupyter each, on a small machine."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.aws import client
from tests.command import Cli, processes_of

MOST_MIB = 6 * 1024
SPEC = """
name: classroom
count: {count}
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


def come(own: Cli, folder: Path, count: int) -> None:
    """g4dn.xlarge is full everywhere, g5.xlarge in two of the three zones: all come from the third."""
    spec = folder / "classroom.yaml"
    spec.write_text(SPEC.format(count=count, subnets=", ".join(subnets_of(own))))
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
    assert [environment["state"] for environment in found] == ["ready"] * count
    assert len({environment["jupyter_url"] for environment in found}) == count
    places = Counter((e["instance_type"], e["availability_zone"]) for e in found)
    assert places == {("g5.xlarge", ZONES[2]): count}
    names = own("--sandbox", "exec", "classroom", "--", "hostname").stdout.splitlines()
    assert len(set(names)) == count


def test_nothing_is_left_after_stop(own: Cli, tmp_path: Path) -> None:
    """A sandbox with a classroom in use."""
    come(own, tmp_path, 2)
    assert processes_of(tmp_path / "sandbox")
    assert own("sandbox", "stop").returncode == 0
    assert processes_of(tmp_path / "sandbox") == []
    assert list((tmp_path / "sandbox").iterdir()) == []  # its package cache is that of the run
    told = own("sandbox", "env")
    assert (told.returncode, told.stderr) == (
        1,
        "fleet: no sandbox is running: fleet sandbox start\n",
    )


@pytest.mark.deep
def test_a_classroom_of_twenty(own: Cli, tmp_path: Path) -> None:
    """Over a minute, for twenty JupyterLabs start on two cores: it is about their memory, and about twenty."""
    come(own, tmp_path, 20)
    used = memory_mib(own.folder / "sandbox")
    print(f"20 environments take {used:.0f} MiB")
    assert used < MOST_MIB
    receipt = own.json("--sandbox", "down", "classroom", "-o", "json")
    assert len(receipt["released"]["instances"]) == 20
    assert not any(receipt["remaining"].values())


def subnets_of(own: Cli) -> list[str]:
    """Start the sandbox; gives the default VPC's subnets of three zones."""
    assert own("sandbox", "start").returncode == 0
    ec2 = client(own, "ec2")
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
