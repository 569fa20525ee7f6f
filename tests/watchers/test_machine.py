"""GPU and CPU, as `nvidia-smi` and `systemctl` tell of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import gpu
from cpu import Cpu
from rules import Finding

from .places import put_machine, put_program


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", f"{put_machine(tmp_path)}:/usr/bin:/bin")
    return tmp_path


@pytest.mark.parametrize(
    ("told", "finding"),
    [
        ("0\n", Finding("quiet", "GPU 0 %")),
        ("4\n", Finding("quiet", "GPU 4 %")),
        ("5\n", Finding("busy", "GPU 5 %")),
        ("0\n0\n97\n0\n", Finding("busy", "GPU 97 %")),
        ("[N/A]\n", Finding("unknown", "GPU: nvidia-smi gives no utilization")),
        ("", Finding("unknown", "GPU: nvidia-smi gives no utilization")),
    ],
)
def test_gpus(machine: Path, told: str, finding: Finding) -> None:
    (machine / "gpu").write_text(told)
    assert gpu.look() == finding


def test_a_gpu_that_fails_is_unknown(machine: Path) -> None:
    put_program(machine / "programs", "nvidia-smi", "exit 15")
    assert gpu.look() == Finding("unknown", "GPU: nvidia-smi failed with exit status 15")


def test_no_gpu(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if any(path.read_text().strip() == "0x10de" for path in Path("/sys/bus/pci").rglob("*/vendor")):
        pytest.skip("this machine has an NVIDIA GPU")
    put_program(machine / "programs", "nvidia-smi", "echo 'No devices were found'; exit 6")
    assert gpu.look() == Finding("quiet", "no GPU")
    monkeypatch.setenv("PATH", str(machine))
    assert gpu.look() == Finding("quiet", "no GPU"), "nor a program that could tell"


def test_cpu_over_the_time_between_two_looks(machine: Path) -> None:
    clock = [100.0]
    cpu = Cpu(lambda: clock[0])
    (machine / "cpu").write_text(str(int(sum(os.times()[:4]) * 1e9)))
    assert cpu.look() == Finding("quiet", ""), "nothing to compare with"
    for used, finding in [
        (0.5, Finding("quiet", "CPU 5 %")),
        (1.9, Finding("quiet", "CPU 14 %")),
        (6.9, Finding("busy", "CPU 50 %")),
        (3.0, Finding("quiet", "CPU 0 %")),
    ]:
        clock[0] += 10
        own = sum(os.times()[:4])  # what the watcher itself took does not count
        (machine / "cpu").write_text(str(int((used + own) * 1e9)))
        found = cpu.look()
        assert found.state == finding.state
        assert abs(int(found.reason.split()[1]) - int(finding.reason.split()[1])) <= 2


@pytest.mark.parametrize("told", ["[not set]", str(2**64 - 1), ""])
def test_a_machine_that_counts_no_cpu_time(machine: Path, told: str) -> None:
    (machine / "cpu").write_text(told)
    with pytest.raises(ValueError, match="gives no CPU time"):
        Cpu(lambda: 0.0).look()
