"""The command line in this process, over one served cloud for the whole folder: no host boots, no daemon starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.workflows.context import Context
from tests.command import InProcess, aws_at
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.runs import context_over, warm_session


@pytest.fixture(scope="package")
def served_once() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture(scope="package")
def cli(served_once: Served, tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    """The CLI for tests that only look: they share what it keeps, such as prices."""
    return InProcess(tmp_path_factory.mktemp("cli"), aws_at(served_once.url))


@pytest.fixture
def served(served_once: Served) -> Iterator[Served]:
    """The cloud of a test that makes something in it, or switches faults on: empty before and after."""
    yield served_once
    served_once.cloud.reset()
    served_once.driver.calls.clear()
    served_once.driver.booted.clear()
    served_once.driver.kept.clear()


@pytest.fixture
def own(served: Served, tmp_path: Path) -> InProcess:
    """The CLI over that cloud, with files of its own."""
    return InProcess(tmp_path, aws_at(served.url))


@pytest.fixture
def context(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """What a workflow takes, over that cloud: makes what the commands of a test then find, without hosts."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    return context_over(served.url, tmp_path, session=warm_session())
