"""What the files of this folder share: a fleet to look at, the AWS CLI."""

from __future__ import annotations

import pytest

from tests.acceptance.aws_cli import find_or_install
from tests.acceptance.standing import Standing, standing_up
from tests.command import Cli


def pytest_itemcollected(item: pytest.Item) -> None:
    """With `--dist loadgroup`, too, a file's tests run in one process, for they share a fleet; a file may say more."""
    if item.get_closest_marker("xdist_group") is None:
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def standing(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A fleet of two that runs; tests only look at it."""
    return standing_up(Cli(cli.folder), tmp_path_factory.mktemp("standing"))


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The stock AWS CLI."""
    return find_or_install(tmp_path_factory.mktemp("awscli"))
