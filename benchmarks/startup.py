"""How long commands take to start, side by side: ours, the AWS CLI's, and Python's own."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 7
FLEET = str(Path(sys.executable).with_name("fleet"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import boto3'": [sys.executable, "-c", "import boto3"],
    "fleet --help": [FLEET, "--help"],
    "fleet spec check": [FLEET, "spec", "check", "examples/workshop.yaml"],
    "aws --version": ["aws", "--version"],
}


def main() -> None:
    """Time every command in turn, so that a machine that slows down slows all of them."""
    present = {name: words for name, words in COMMANDS.items() if shutil.which(words[0])}
    seconds: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(RUNS):
        for name, words in present.items():
            start = time.perf_counter()
            subprocess.run(words, capture_output=True, timeout=60, check=True)
            seconds[name].append(time.perf_counter() - start)
    print(f"start-up, median of {RUNS} runs each, in turn")
    for name, values in seconds.items():
        print(f"  {name:<26} {statistics.median(values) * 1000:7.0f} ms")


if __name__ == "__main__":
    main()
