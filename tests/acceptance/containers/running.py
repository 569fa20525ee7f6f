"""What the tests of this folder run: `fleet` in the background, and lines for the shell on a host."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.command import Cli

ON_CONTAINERS = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    # One worker has them all: they share a sandbox, and two of them would start twice as many hosts at a time.
    pytest.mark.xdist_group("containers"),
]
BOUND = 900.0
"""Seconds for a first `up` on a busy machine; on a quiet one it takes less than a minute."""


@dataclass
class Running:
    """A `fleet` that runs: its lines on stderr as they come, and what it leaves."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    ended: bool = False
    reader: threading.Thread = field(init=False)
    _told: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.read, daemon=True)

    def read(self) -> None:
        """Collect stderr until it ends."""
        assert self.process.stderr
        with self.process.stderr as stderr:
            for line in stderr:
                with self._told:
                    self.lines.append(line.rstrip())
                    self._told.notify_all()
        with self._told:
            self.ended = True
            self._told.notify_all()

    def wait_for(self, pattern: str, seconds: float) -> str:
        """Give the first line in which `pattern` is found."""

        def found() -> str | None:
            return next((line for line in self.lines if re.search(pattern, line)), None)

        with self._told:
            self._told.wait_for(lambda: found() or self.ended, seconds)
        line = found()
        assert line, (pattern, self.lines)
        return line

    def end(self, seconds: float) -> int:
        """Wait for its end; give the exit code."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def failures(self) -> dict[str, str]:
        """Why each member's environment is not ready, on one line each."""
        told = re.findall(r"✗ \[(\w+)\] failed: (.*)", "\n".join(self.lines))
        assert len(dict(told)) == len(told)
        return dict(told)

    def decided(self) -> dict[str, float]:
        """After how many seconds each member's environment was ready or given up."""
        found = re.findall(r"^ *([\d.]+)s [✗✓] \[(\w+)\]", "\n".join(self.lines), re.MULTILINE)
        return {member: float(seconds) for seconds, member in found}


Start = Callable[..., Running]


def on_host(cli: Cli, fleet: str, member: str, line: str) -> str:
    """Run a line for the shell on a member's host; it must succeed."""
    told = cli.json("--sandbox", "exec", "--member", member, "-o", "json", fleet, "--", line)
    (result,) = told["results"]
    assert result["exit_status"] == 0, result
    text: str = result["stdout"]
    return text


def add_fault(cli: Cli, fleet: str, fault: str) -> None:
    """Let one host of a fleet be born with a fault, told as on the command line."""
    added = cli("sandbox", "fault", "add", *fault.split(), "--fleet", fleet, "--instances", "1")
    assert added.returncode == 0, added.stderr
