"""Fixtures of the tests that run the real command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Cli

pytest_plugins = ["tests.one_run", "tests.depth", "tests.actions", "tests.durations"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first: what comes last then is quick, and no worker waits long for the other."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


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
def bare(tmp_path: Path) -> Cli:
    """The CLI without a sandbox."""
    return Cli(tmp_path)
