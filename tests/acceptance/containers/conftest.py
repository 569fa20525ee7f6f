"""A sandbox with container hosts, shared by the tests of a process; skipped, with the reason, where none can be."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fleet.sandbox.containers import cgroups, needs
from tests.command import FLEET, Cli, processes_of


@pytest.fixture(scope="session")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI with a sandbox of container hosts; nothing of it may be left afterwards. Fleets differ by name."""
    reason = needs.missing()
    if reason:
        pytest.skip(reason)
    cli = Cli(tmp_path_factory.mktemp("containers"))
    directory = Path(cli.environment["FLEET_SANDBOX_DIR"])
    before = nspawns()
    started = cli("sandbox", "start", "--hosts", "container")
    try:
        assert started.returncode == 0, started.stderr
        network = cli.json("sandbox", "status", "-o", "json")["network"]
        yield cli
    finally:
        stopped = cli("sandbox", "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert leftovers(directory, network) == []
    assert nspawns() <= before


def nspawns() -> set[Path]:
    """What systemd-nspawn has left on the machine."""
    return set(Path("/run/systemd/nspawn").rglob("*"))


def leftovers(directory: Path, network: str) -> list[str]:
    """What a stopped sandbox would have left: processes, mounts, control groups, its link and route."""
    found = [str(entry) for entry in processes_of(directory)]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    found += [line for line in mounts if str(directory) in line]
    top = cgroups.mounted_at()
    found += [str(tree) for tree in cgroups.trees((top or Path("/")) / cgroups.name_of(directory))]
    links = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
    prefix = network.removesuffix("0.0/16")
    found += [line for line in links.splitlines() if f" {prefix}" in line]
    return found


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

    def failure(self, member: str) -> str:
        """The line that tells why a member's environment is not ready; there must be exactly one."""
        (line,) = (line for line in self.lines if f"✗ [{member}] failed: " in line)
        return line.partition("failed: ")[2]


Start = Callable[..., Running]


@pytest.fixture(scope="module")
def start(hosts: Cli) -> Iterator[Start]:
    """Starts `fleet` with arguments; one that still runs at the end is killed."""
    begun: list[Running] = []

    def run(*arguments: str) -> Running:
        process = subprocess.Popen(
            [FLEET, *arguments],
            env=hosts.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        begun.append(running)
        running.reader.start()
        return running

    yield run
    for each in begun:
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        each.reader.join(10)


def on_host(cli: Cli, fleet: str, member: str, line: str) -> str:
    """Run a line for the shell on a member's host; it must succeed."""
    told = cli.json("--sandbox", "exec", "--member", member, "-o", "json", fleet, "--", line)
    (result,) = told["results"]
    assert result["exit_status"] == 0, result
    text: str = result["stdout"]
    return text
