"""What the files of this folder share: fleets, a command line that needs no process, the AWS CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.aws_cli import find_or_install
from tests.acceptance.dusk import Dusk
from tests.acceptance.standing import Standing, standing_up
from tests.command import Cli, InProcess


@pytest.fixture(scope="session")
def cli(cli: Cli) -> InProcess:
    """The command line in this process, whose sandbox lives as long; `Cli(cli.folder)` is a process of its own.

    Tests make that where its end, its arguments or a signal is the point, and where the main job is looked at.
    """
    return InProcess(cli.folder)


@pytest.fixture(scope="session")
def standing(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A fleet of two that runs; tests only look at it."""
    return standing_up(cli, tmp_path_factory.mktemp("standing"))


@pytest.fixture(scope="session")
def _dusk_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dusk")


@pytest.fixture(scope="module")
def dusk(cli: Cli, _dusk_folder: Path) -> Dusk:
    """A fleet of one on Spot; a file that has spoiled it leaves it to the next to bring it up again."""
    fleet = Dusk(cli, _dusk_folder)
    fleet.up()
    return fleet


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The stock AWS CLI."""
    return find_or_install(tmp_path_factory.mktemp("awscli"))
