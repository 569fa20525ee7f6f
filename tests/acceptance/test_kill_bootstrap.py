"""`fleet up` killed (SIGKILL) when a step begins on a host that really boots; run again, all is ready.

The steps are those that the progress lines name. Every run of the tests takes some of each kind, the deep suite all.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from tests.acceptance.test_main_job import ec2
from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BEGINS = re.compile(r"^ *[\d.]+s … \[(?P<member>[^]]+)\] (?P<step>[^:]+)")
SECONDS = 600
STEPS = (
    "ssh", "cloud-init", "system", "files", "interpreters", "uv", "jupyter", "banner", "kernels",
    "packages", "script", "configuration", "watchers", "services", "prove",
)  # fmt: skip
EARLY_INSTALLING_LATE_AND_LAST = ("cloud-init", "jupyter", "services", "prove")
WHAT_CHANGED_AND_WHAT_RUNS = ("script", "services")


def deep(*, new: int, used: int) -> list[ParameterSet]:
    """Give all steps on new hosts in so many tests, and in so many others all steps on hosts in use."""
    parts: list[tuple[str, Sequence[str], Sequence[str]]]
    parts = [(f"new-{part + 1}_of_{new}", STEPS[part::new], ()) for part in range(new)]
    parts += [(f"used-{part + 1}_of_{used}", (), STEPS[part::used]) for part in range(used)]
    return [pytest.param(*steps, id=name, marks=pytest.mark.deep) for name, *steps in parts]


@dataclass(frozen=True)
class Run:
    """An `up` that has ended: `killed_at` a step, or by itself; the steps that began, in their order; its report."""

    killed_at: str | None
    exit_code: int
    steps: tuple[str, ...]
    told: str
    report: str

    @property
    def ready(self) -> list[tuple[str, str]]:
        """Each member's instance; all of them must be ready."""
        assert self.exit_code == 0, self.told
        found: list[dict[str, Any]] = json.loads(self.report)["environments"]
        assert [one["state"] for one in found] == ["ready"] * 2
        return [(one["member"], one["instance_id"]) for one in found]


def up(cli: Cli, spec: Path, kill_at: Callable[[str], bool]) -> Run:
    """Run `up`, and kill it when a step begins that is to be its last."""
    steps: list[str] = []
    lines: list[str] = []
    killed_at = None
    until = time.monotonic() + SECONDS
    with (
        (spec.parent / "report").open("w+") as report,
        subprocess.Popen(
            [FLEET, "--sandbox", "up", str(spec), "-o", "json"],
            env=cli.environment,
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            found = BEGINS.match(line)
            step = found["step"].strip() if found else ""
            if step and step not in steps:
                steps.append(step)
            if step and killed_at is None and kill_at(step):
                killed_at = step
                process.send_signal(signal.SIGKILL)
            if time.monotonic() > until:
                process.kill()
    code, said = process.wait(), (spec.parent / "report").read_text()
    assert (code == -signal.SIGKILL) == (killed_at is not None), "".join(lines)
    return Run(killed_at, code, tuple(steps), "".join(lines), said)


@pytest.mark.parametrize(
    ("new", "used"),
    [
        pytest.param(EARLY_INSTALLING_LATE_AND_LAST, WHAT_CHANGED_AND_WHAT_RUNS, id="some_steps"),
        *deep(new=2, used=3),
    ],
)
def test_killed_at_steps_and_run_again(
    own: Cli, tmp_path: Path, new: Sequence[str], used: Sequence[str]
) -> None:
    """Killed at `new` while hosts are made ready, then at `used` on hosts in use, whose script was changed.

    Takes about a minute: hosts boot and get JupyterLab, and two environments are proven after each kill.
    """
    (tmp_path / "setup.sh").write_text("echo 0 >~/round\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/numbers").write_text("1 2 3\n")
    wishes = "{packages: [einops], files: {./data: ~/data}, script: ./setup.sh}"
    spec = write_spec(tmp_path, "killed", bootstrap=wishes)
    first, client = made_ready(own, spec, new), ec2(own)
    everything = standing(client)
    assert len(everything["instances"]) == 2
    assert rounds(tmp_path) == [0, 0]

    # The next run alone makes good what was broken off.
    change(tmp_path, 1)
    again = up(own, spec, lambda _: False)
    assert again.ready == first
    assert {*again.steps} == {*STEPS}, "a new step is to be killed at, too"
    for number, step in enumerate(used, 2):
        change(tmp_path, number)
        run = up(own, spec, step.__eq__)
        assert run.killed_at == step, run.told
        run = up(own, spec, lambda _: False)
        assert run.ready == first, f"killed at {step}"
        assert standing(client) == everything, f"killed at {step}"
        assert rounds(tmp_path) == [number, number], f"killed at {step}"
    print(f"new hosts: killed at {new}; hosts in use: killed at {used}: all ready")

    assert own("--sandbox", "down", "killed", "--yes").returncode == 0
    assert not any(standing(client).values())


def made_ready(own: Cli, spec: Path, steps: Sequence[str]) -> list[tuple[str, str]]:
    """Kill a run at each of the steps, so that each gets further than the one before; gives what the last one made."""
    met: list[str] = []
    for _ in range(len(steps) + 1):
        run = up(own, spec, lambda step: step in steps and step not in met)
        if run.killed_at is None:
            break
        met.append(run.killed_at)
    assert {*met} == {*steps}
    return run.ready


def change(folder: Path, number: int) -> None:
    (folder / "setup.sh").write_text(f"echo {number} >~/round\n")


def rounds(folder: Path) -> list[int]:
    """What the script has left on each host."""
    homes = folder.glob("sandbox/hosts/*/home/ubuntu/round")
    return [int(path.read_text()) for path in homes]


def standing(client: Any) -> dict[str, Collection[str]]:
    """What is there, by kind, whoever made it."""
    reservations = client.describe_instances()["Reservations"]
    groups = client.describe_security_groups()["SecurityGroups"]
    return {
        "instances": sorted(
            instance["InstanceId"]
            for reservation in reservations
            for instance in reservation["Instances"]
            if instance["State"]["Name"] not in {"terminated", "shutting-down"}
        ),
        "volumes": sorted(v["VolumeId"] for v in client.describe_volumes()["Volumes"]),
        "groups": [g["GroupId"] for g in groups if g["GroupName"] != "default"],
        "keys": [pair["KeyPairId"] for pair in client.describe_key_pairs()["KeyPairs"]],
        "templates": [
            one["LaunchTemplateId"] for one in client.describe_launch_templates()["LaunchTemplates"]
        ],
    }
