from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.cloud.recording import Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def served_once() -> Iterator[Served]:
    """One served cloud per test file: what moto sets up on first use costs a second."""
    with serve() as served:
        yield served


@pytest.fixture
def served(served_once: Served) -> Iterator[Served]:
    """A served cloud without resources."""
    served_once.driver.slow, served_once.driver.full = 0, False
    yield served_once
    served_once.cloud.reset()
    served_once.driver.calls.clear()
    served_once.driver.booted.clear()
    served_once.driver.kept.clear()
