"""A bake killed (SIGKILL) after AWS calls that change something (see `points`); run again, there is one image and
nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.plan import tags
from tests.sandbox.cloud.recording import serve
from tests.workflows.bake import bakes
from tests.workflows.bake.bakes import bake_with, images, recipe_text
from tests.workflows.kills import BRISK, Yard
from tests.workflows.points import (
    Kills,
    deep,
    each_change,
    each_kind_of_change,
    in_every_run,
    points_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path, recipe_text())


@pytest.mark.parametrize(
    "kills",
    [in_every_run("after", each_kind_of_change), *deep("after", each_change, parts=4)],
)
def test_a_bake_killed_at_changes(yard: Yard, kills: Kills) -> None:
    """Each bake is of another content, with the last one's image there to be removed.

    Takes about a minute: for each point a bake is killed and another goes on, and a bake brings up two fleets.
    """
    nothing = yard.standing()
    numbers = itertools.count()

    def another() -> str:
        return recipe_text(step=f"true {next(numbers)}")

    bake_with(yard.context, another())
    recorded = [yard.calls_of(lambda: bake_with(yard.context, another())) for _ in range(2)]
    points = kills.at(points_of(recorded))
    for point in points:
        text = another()
        yard.surely_killed(bakes.bake, text, point, kills.when, prepare=lambda: None)
        report = bake_with(yard.context, text)
        (image,) = images(yard.context)
        assert report.image_id == image.image_id, f"killed {kills.when} {point}"
        assert image.tags[tags.STATUS] == tags.STABLE, f"killed {kills.when} {point}"
        assert report.whole, f"killed {kills.when} {point}"
        assert yard.standing() == nothing, f"killed {kills.when} {point}"
        assert yard.own_snapshots() == sorted(image.snapshot_ids), f"killed {kills.when} {point}"
    told = ", ".join(map(str, points))
    print(f"bake killed {kills} ({told}): all survived")
