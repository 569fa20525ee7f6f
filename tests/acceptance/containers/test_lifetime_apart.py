"""Each way to use an environment keeps it up alone; neither of those that are no use does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.containers.evenings import (
    Uses,
    begin,
    fleet_of,
    those_idle_end,
    those_used_stay,
)
from tests.acceptance.containers.running import ON_CONTAINERS
from tests.acceptance.containers.standing import Image
from tests.command import Cli

pytestmark = [*ON_CONTAINERS, pytest.mark.deep]

APART = Uses(cell="cell", terminal="terminal", tmux="tmux", gpu="gpu", tab="tab", shell="shell")


def test_each_use_alone_keeps_an_environment_up(hosts: Cli, image: Image, tmp_path: Path) -> None:
    """Six hosts boot, and two idle times pass: more than a minute."""
    with fleet_of(hosts, image, tmp_path, "apart", APART) as fleet:
        evening = begin(fleet)
        those_idle_end(fleet, evening)
        those_used_stay(fleet, evening)
