"""Ctrl-C during `up`: what exists and its price are said even where EC2's answer was still on its way."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.command import FLEET, Cli

SPEC = """
name: three
count: 3
image: {framework: pytorch, os: ubuntu-24.04}
instances: {types: [g4dn.xlarge]}
expires: 8h
"""
SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "three.yaml"
    path.write_text(SPEC)
    return path


@contextmanager
def launching(cli: Cli, spec: Path, *, answered_after: str) -> Iterator[subprocess.Popen[str]]:
    """An `up` whose launch is on its way; EC2's answer comes late."""
    assert cli("sandbox", "start").returncode == 0
    fault = ("sandbox", "fault", "add", "slow", "--action", "CreateFleet")
    assert cli(*fault, "--delay", answered_after).returncode == 0
    with subprocess.Popen(
        [FLEET, "--sandbox", "up", str(spec)],
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            read_until(process.stderr, "launch: 3 x on-demand")
            while "1 call" not in cli("sandbox", "fault", "list").stdout:
                assert process.poll() is None
            yield process
        finally:
            process.kill()
            assert cli("sandbox", "fault", "clear").returncode == 0


def read_until(stream: IO[str] | None, text: str) -> None:
    assert stream
    for line in stream:
        if text in line:
            return
    pytest.fail(f"{text!r} was never said")


def running(cli: Cli) -> int:
    return len(cli.json("--sandbox", "status", "three", "-o", "json")["environments"])


def assert_gone(cli: Cli) -> None:
    """Take the fleet away."""
    receipt = cli.json("--sandbox", "down", "three", "-o", "json")
    assert not any(receipt["remaining"].values())


def test_the_first_one_waits_for_the_answer_and_tells_what_runs(cli: Cli, spec: Path) -> None:
    with launching(cli, spec, answered_after="6s") as process:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert "Ctrl-C again leaves at once" in said
    told = rf"3 instances of three run \(\$1\.58/h\): `fleet --sandbox up {re.escape(str(spec))}` goes on, "
    assert re.search(
        told + r"`fleet --sandbox down three` takes all away\n+fleet: interrupted\n$", said
    )
    assert "failed" not in said
    assert running(cli) == 3
    assert_gone(cli)


def test_the_second_one_leaves_at_once(cli: Cli, spec: Path) -> None:
    with launching(cli, spec, answered_after="30s") as process:
        process.send_signal(signal.SIGINT)
        read_until(process.stderr, "waiting for EC2's answer")
        request = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
        took = time.monotonic() - request
    assert process.returncode == 130
    assert "left at once; instances may run or come yet: `fleet --sandbox up" in said
    print(f"left {took:.2f} s after the second Ctrl-C")
    assert took < 10  # of 30 s that the answer takes
    assert_gone(cli)
