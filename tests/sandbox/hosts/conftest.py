"""One yard and one plain host a module; a yard of its own for tests that end hosts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .yard import Host, Yard


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    """A driver without hosts."""
    made = Yard(tmp_path_factory.mktemp("yard"))
    yield made
    made.close()
    assert list((made.directory / "sandbox/hosts").glob("*")) == []


@pytest.fixture(scope="module")
def host(yard: Yard) -> Host:
    """A host that the tests of a module share."""
    return yard.boot()
