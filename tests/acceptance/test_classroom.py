"""Twenty environments, real Jupyter each, on a small machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Cli, processes_of

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
MOST_MIB = 6 * 1024

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_a_classroom_of_twenty(own: Cli) -> None:
    up = own.json("--sandbox", "up", str(EXAMPLES / "classroom.yaml"), "-o", "json")
    states = [environment["state"] for environment in up["environments"]]
    assert states == ["ready"] * 20
    assert len({environment["jupyter_url"] for environment in up["environments"]}) == 20
    used = memory_mib(own.folder / "sandbox")
    print(f"20 environments take {used:.0f} MiB")
    assert used < MOST_MIB
    names = own("--sandbox", "exec", "classroom", "--", "hostname").stdout.splitlines()
    assert len(set(names)) == 20
    receipt = own.json("--sandbox", "down", "classroom", "-o", "json")
    assert len(receipt["released"]["instances"]) == 20
    assert not any(receipt["remaining"].values())


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
