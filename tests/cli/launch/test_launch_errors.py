"""What a person sees of a launch that brings nothing: one line, exit code 1, and nothing left, whatever the reason."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from fleet.errors import EXIT_FAILED
from fleet.plan.teardown.resources import KINDS
from tests.command import InProcess, write_spec
from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow

# One code for each reaction, each befalling a type of its own.
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


@pytest.mark.parametrize("code", REACTIONS)
def test_one_line_and_the_exit_code_and_nothing_is_left(
    served: Served, own: InProcess, tmp_path: Path, code: str
) -> None:
    instance_type, remedy = REACTIONS[code]
    served.cloud.faults.add("pool-error", code=code, type=instance_type, message=f"{WORDS} {code}")
    spec = write_spec(tmp_path, "one", instances=f"{{types: [{instance_type}]}}", members="[ana]")
    done = own("up", str(spec), "--yes")
    assert done.returncode == EXIT_FAILED, done.stderr
    assert done.stdout == ""
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("fleet: ")]
    assert f"{code}: {WORDS} {code}" in line
    assert remedy in line
    assert "(nothing was launched, and nothing is left)" in line
    assert "Traceback" not in done.stderr
    _nothing_is_left(served, own, "one")


def test_no_capacity_anywhere_is_told_in_time(
    served: Served, own: InProcess, tmp_path: Path
) -> None:
    """Within 10 s on a quiet machine, which is printed; here no longer than a busy one may take."""
    served.cloud.faults.add("no-capacity")
    spec = write_spec(
        tmp_path,
        "nowhere",
        members="[ana, ben, cyd]",
        instances="{types: [g5.xlarge, g4dn.xlarge], market: spot-first}",
    )
    began = time.monotonic()
    done = own("up", str(spec), "--yes", timeout=60)
    print(f"no capacity anywhere: told after {time.monotonic() - began:.1f} s")
    assert done.returncode == EXIT_FAILED
    (line,) = [one for one in done.stderr.splitlines() if one.startswith("fleet: ")]
    for instance_type in ("g5.xlarge", "g4dn.xlarge"):
        assert f"{instance_type} in us-east-1a, us-east-1b" in line
    assert "--wait-for-capacity" in line
    _nothing_is_left(served, own, "nowhere")


def _nothing_is_left(served: Served, own: InProcess, fleet: str) -> None:
    assert own.json("ls", "-o", "json")["fleets"] == []
    assert own.json("down", fleet, "-o", "json")["remaining"] == dict.fromkeys(KINDS, 0)
    assert served.ec2.describe_instances()["Reservations"] == []
