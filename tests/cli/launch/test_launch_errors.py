"""What a person sees of a launch that brings nothing: one line, exit code 1, and nothing left, whatever the reason."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from fleet.errors import EXIT_FAILED
from fleet.plan.teardown.resources import KINDS
from tests.command import Cli, write_spec
from tests.sandbox.cloud.recording import Served, serve

pytestmark = pytest.mark.slow

# One code for each reaction. Each befalls a type of its own, so that all of them run at once, over one cloud.
REACTIONS = {
    "InsufficientInstanceCapacity": ("g5.xlarge", "name more types"),
    "Unsupported": ("g5.2xlarge", "name other types or zones"),
    "VcpuLimitExceeded": ("g5.4xlarge", "(quota L-DB2E81BA of G and VT)"),
    "SpotMaxPriceTooLow": ("g5.8xlarge", "raise max_price"),
    "InsufficientFreeAddressesInSubnet": ("g5.12xlarge", "access.subnets"),
    "RequestLimitExceeded": ("g5.16xlarge", "run the command again"),
    "InternalError": ("g5.24xlarge", "run the command again"),
    "OptInRequired": ("g5.48xlarge", "enable the region"),
    "UnauthorizedOperation": ("g4dn.xlarge", "`fleet iam policy"),
    "InvalidAMIID.NotFound": ("g4dn.2xlarge", "Allowed AMIs"),
}
WORDS = "AWS's own words about"
TOGETHER = 3
Ended = dict[str, CompletedProcess[str]]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture(scope="module")
def over(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    values = {
        "AWS_ENDPOINT_URL": served.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "FLEET_CHECKIP_URL": f"{served.url}/checkip",
    }
    return Cli(tmp_path_factory.mktemp("cli"), values)


@pytest.fixture(scope="module")
def ended(served: Served, over: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """Run into every one of them, a few at a time."""
    folder = tmp_path_factory.mktemp("specs")

    def run(code: str) -> CompletedProcess[str]:
        instance_type, _ = REACTIONS[code]
        name = f"for-{instance_type.replace('.', '-')}"
        spec = write_spec(folder, name, instances=f"{{types: [{instance_type}]}}", members="[ana]")
        return over("up", str(spec), "--yes")

    for code, (instance_type, _) in REACTIONS.items():
        served.cloud.faults.add(
            "pool-error", code=code, type=instance_type, message=f"{WORDS} {code}"
        )
    with ThreadPoolExecutor(TOGETHER) as pool:
        yield dict(zip(REACTIONS, pool.map(run, REACTIONS), strict=True))
    served.cloud.faults.clear()


@pytest.mark.parametrize("code", REACTIONS)
def test_one_line_and_the_exit_code(ended: Ended, code: str) -> None:
    done = ended[code]
    assert done.returncode == EXIT_FAILED, done.stderr
    assert done.stdout == ""
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("fleet: ")]
    assert f"{code}: {WORDS} {code}" in line
    assert REACTIONS[code][1] in line
    assert "(nothing was launched, and nothing is left)" in line
    assert "Traceback" not in done.stderr


def test_nothing_is_left_of_any_of_them(ended: Ended, over: Cli) -> None:
    assert len(ended) == len(REACTIONS)
    assert over.json("ls", "-o", "json")["fleets"] == []
    assert over.json("down", "for-g5-xlarge", "-o", "json")["remaining"] == dict.fromkeys(KINDS, 0)


def test_no_capacity_anywhere_is_told_in_time(served: Served, over: Cli, tmp_path: Path) -> None:
    """Within 10 s on a quiet machine, which is printed; here no longer than a busy one may take."""
    served.cloud.faults.clear()
    served.cloud.faults.add("no-capacity")
    spec = write_spec(
        tmp_path,
        "nowhere",
        members="[ana, ben, cyd]",
        instances="{types: [g5.xlarge, g4dn.xlarge], market: spot-first}",
    )
    began = time.monotonic()
    done = over("up", str(spec), "--yes", timeout=60)
    print(f"no capacity anywhere: told after {time.monotonic() - began:.1f} s")
    assert done.returncode == EXIT_FAILED
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("fleet: ")]
    for instance_type in ("g5.xlarge", "g4dn.xlarge"):
        assert f"{instance_type} in us-east-1a, us-east-1b" in line
    assert "--wait-for-capacity" in line
    assert over.json("ls", "-o", "json")["fleets"] == []
    assert over.json("down", "nowhere", "-o", "json")["remaining"] == dict.fromkeys(KINDS, 0)
    found = served.ec2.describe_instances()["Reservations"]
    assert found == []
    served.cloud.faults.clear()
