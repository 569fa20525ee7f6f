"""How long the four answers before a launch take, warm, side by side, against a sandbox of their own."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7
FLEET = str(Path(sys.executable).with_name("fleet"))
SPEC = "examples/workshop.yaml"
COMMANDS = {
    "fleet images": ("images", "--framework", "pytorch"),
    "fleet types": ("types", "--gpus", "1"),
    "fleet plan": ("plan", SPEC),
    "fleet quota": ("quota", SPEC),
}


def main() -> None:
    """Ask everything once, so that prices are kept, then time every command in turn."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"FLEET_SANDBOX_DIR": folder}
        _fleet("sandbox", "start", environment=environment)
        try:
            seconds = _timed(environment)
        finally:
            _fleet("sandbox", "stop", environment=environment)
    print(f"answers before a launch, warm: median of {RUNS} runs each, in turn")
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    for name, values in seconds.items():
        wall, cpu = (statistics.median(each) * 1000 for each in zip(*values, strict=True))
        print(f"  {name:<14} {wall:7.0f} ms   {cpu:7.0f} ms of CPU")


def _timed(environment: dict[str, str]) -> dict[str, list[tuple[float, float]]]:
    for words in COMMANDS.values():
        _fleet("--sandbox", *words, environment=environment)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for _ in range(RUNS):
        for name, words in COMMANDS.items():
            start, used = time.perf_counter(), _cpu()
            _fleet("--sandbox", *words, environment=environment)
            seconds[name].append((time.perf_counter() - start, _cpu() - used))
    return seconds


def _cpu() -> float:
    """User and system seconds of the children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _fleet(*words: str, environment: dict[str, str]) -> None:
    subprocess.run([FLEET, *words], env=environment, capture_output=True, timeout=120, check=True)


if __name__ == "__main__":
    main()
