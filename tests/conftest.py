"""Fixtures of the tests that run the real command line, and which tests stay together on one worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.command import Cli, InProcess

# Several workers share few cores: how long an example takes says nothing of the code.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

pytest_plugins = [
    "tests.one_run",
    "tests.depth",
    "tests.actions",
    "tests.durations",
    "tests.models",
]


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in its own
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: what comes last then is quick, and no worker waits long for the others."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
    for item in items:
        if item.get_closest_marker("xdist_group") is None and _shares_with_its_file(item):
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """A worker that would not keep groups together says so: its tests would make each other's fleets again."""
    if getattr(session.config.option, "loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid.rpartition("]")[2]:
                raise pytest.UsageError(f"xdist does not know the group of {item.nodeid}")


def _shares_with_its_file(item: pytest.Item) -> bool:
    """Whether a test uses a fixture that is made once for its file or folder: other workers would make it again."""
    assert isinstance(item, pytest.Function)
    made = item._fixtureinfo.name2fixturedefs.values()
    return any(each[-1].scope in {"module", "package"} for each in made)


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI with a sandbox that lives as long as the tests of this process."""
    running = Cli(tmp_path_factory.mktemp("fleet"))
    yield running
    stopped = running("sandbox", "stop")
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Cli]:
    """The CLI with a sandbox of this test's own, stopped whatever happens."""
    running = Cli(tmp_path)
    yield running
    stopped = running("sandbox", "stop")
    assert stopped.returncode == 0, stopped.stderr


@pytest.fixture
def bare(tmp_path: Path) -> InProcess:
    """The CLI without a sandbox, in this process."""
    return InProcess(tmp_path)
