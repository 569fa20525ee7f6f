"""A run of tests that is killed in the middle leaves nothing behind: no sandbox, no host, no process of a test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import processes_of
from tests.left_running import SAYS_IT_IS_THERE

pytestmark = [pytest.mark.slow]

TESTS = Path(__file__).parent
NOTHING_AFTER_SECONDS = 30


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["SIGKILL", "Ctrl-C"])
def test_nothing_is_left_of_a_killed_run(number: signal.Signals, tmp_path: Path) -> None:
    there, out = tmp_path / "there", tmp_path / "out"
    with out.open("wb") as stdout:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-n", "1", "-q", str(TESTS / "left_running.py")],
            cwd=TESTS.parent,
            env={**os.environ, SAYS_IT_IS_THERE: str(there)},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    folder = Path(_read_when_there(there, run, out))
    assert _kinds(folder) == {"daemon", "hypervisor", "sleep"}, out.read_text()
    if number == signal.SIGINT:
        os.killpg(run.pid, number)  # as a terminal does
    else:
        run.kill()
    until = time.monotonic() + NOTHING_AFTER_SECONDS
    while (left := processes_of(folder)) and time.monotonic() < until:
        time.sleep(0.2)
    assert [(one / "cmdline").read_bytes() for one in left] == []
    run.wait(60)


def _read_when_there(path: Path, run: subprocess.Popen[bytes], out: Path) -> str:
    until = time.monotonic() + 300
    while not path.exists() or not path.read_text():
        assert run.poll() is None, out.read_text()
        assert time.monotonic() < until
        time.sleep(0.1)
    return path.read_text()


def _kinds(folder: Path) -> set[str]:
    """What the run has started, as far as it is what is looked for."""
    words = b" ".join((one / "cmdline").read_bytes() for one in processes_of(folder)).decode()
    marks = {
        "daemon": "fleet.sandbox.daemon",
        "hypervisor": "fleet.sandbox.hosts.hypervisor",
        "sleep": "time.sleep(3600)",
    }
    return {kind for kind, mark in marks.items() if mark in words}
