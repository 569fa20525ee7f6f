"""A sandbox with container hosts, shared by the tests of a process; skipped, with the reason, where none can be."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.sandbox.containers import cgroups, needs
from tests.acceptance.containers.running import Running, Start
from tests.acceptance.containers.standing import (
    First,
    Image,
    Studio,
    first_up,
    studio_up,
    take_image,
)
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


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session")
def first(hosts: Cli, start: Start, tmp_path_factory: pytest.TempPathFactory) -> First:
    """The first fleet: all that are told of an ill host in its own way, and one host that is well."""
    return first_up(hosts, start, tmp_path_factory.mktemp("first"))


@pytest.fixture(scope="session")
def image(hosts: Cli, first: First) -> Image:
    """An image of the host that is well, which is stopped then."""
    return take_image(hosts, first)


@pytest.fixture(scope="session")
def studio(hosts: Cli, image: Image, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The fleet whose environments are looked at; a test leaves them ready."""
    return studio_up(hosts, image, tmp_path_factory.mktemp("studio"))
