"""`down` killed (SIGKILL) at AWS calls, before their effect or after it (see `points`); run again, nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.sandbox.cloud.recording import serve
from tests.workflows import runs
from tests.workflows.conftest import spec_text
from tests.workflows.fleets import remaining
from tests.workflows.kills import BRISK, Standing, Yard
from tests.workflows.points import (
    Kills,
    deep,
    each_call,
    each_change,
    each_read,
    in_every_run,
    points_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SPEC = spec_text(members="[ana, ben]")


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path, SPEC)


@pytest.mark.parametrize(
    "kills",
    [
        in_every_run("after", each_change),
        *deep("before", each_call, parts=3),
        *deep("after", each_read, parts=2),
    ],
)
def test_down_killed_at_calls(yard: Yard, kills: Kills) -> None:
    """Where all still stands after the kill, the next run is the first one again, and is left out."""
    nothing, recorded = yard.standing(), []
    for _ in range(3):
        yard.up()
        whole = yard.standing()
        recorded.append(yard.calls_of(yard.down))
        assert yard.standing() == nothing
    points = kills.at(points_of(recorded))
    again = 0
    prepare = partial(_whole, yard, whole)
    for point in points:
        yard.surely_killed(runs.down, "workshop", point, kills.when, prepare=prepare)
        if yard.standing() == whole:
            continue
        again += 1
        assert remaining(yard.down()) == {}, f"killed {kills.when} {point}"
        assert yard.standing() == nothing, f"killed {kills.when} {point}"
    told = ", ".join(map(str, points))
    print(f"down killed {kills} ({told}), {again} took something: all survived")


@pytest.mark.parametrize(
    "kills", [in_every_run("after", each_change), *deep("before", each_change, parts=1)]
)
def test_down_that_keeps_volumes_killed_at_changes(yard: Yard, kills: Kills) -> None:
    """No volume that is to stay is lost, and each says whose it was."""
    recorded = []
    for _ in range(2):
        yard.up()
        recorded.append(yard.calls_of(lambda: yard.down(keep_volumes=True)))
        kept = yard.standing()
        yard.drop_volumes()
    assert len(kept.pop("volumes")) == 2
    assert not any(kept.values())
    points = kills.at(points_of(recorded))
    for point in points:
        prepare = partial(_anew, yard)
        yard.surely_killed(runs.down_and_keep, "workshop", point, kills.when, prepare=prepare)
        yard.down(keep_volumes=True)
        assert {**yard.standing(), "volumes": []} == {**kept, "volumes": []}, (
            f"{kills.when} {point}"
        )
        assert yard.kept_for() == ["ana", "ben"], f"killed {kills.when} {point}"
    told = ", ".join(map(str, points))
    print(f"down that keeps volumes killed {kills} ({told}): none lost")


def _whole(yard: Yard, whole: Standing) -> None:
    if yard.standing() != whole:
        yard.up()


def _anew(yard: Yard) -> None:
    yard.down()
    yard.drop_volumes()
    yard.up()
