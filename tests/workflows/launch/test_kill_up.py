"""`up` killed (SIGKILL) at AWS calls, before their effect or after it (see `points`); run again, all is right."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.sandbox.cloud.recording import serve
from tests.workflows import runs
from tests.workflows.conftest import spec_text
from tests.workflows.fleets import remaining
from tests.workflows.kills import BRISK, Yard
from tests.workflows.points import (
    Kills,
    Point,
    deep,
    each_call,
    each_change,
    each_read,
    in_every_run,
    points_of,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SPEC = spec_text(members="[ana, ben]")
CHANGED = spec_text(members="[ana, ben, cyd]", access="{from: [198.51.100.0/24]}", volume="90GiB")


def is_price(action: str) -> bool:
    return action == "GetProducts"


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
def test_up_killed_at_calls(yard: Yard, kills: Kills) -> None:
    """Where nothing stands after the kill, the next run is the first one again, and is left out."""
    nothing = yard.standing()
    first = yard.calls_of(yard.up)  # reads prices, which are kept
    whole = yard.standing()
    assert whole["instances"] == ["ana", "ben"]
    recorded = []
    for _ in range(3):
        yard.down()
        recorded.append(yard.calls_of(yard.up))
        assert yard.standing() == whole
    prices = [point for point in points_of([first]) if is_price(point.action)]
    points = kills.at([*prices, *points_of(recorded)])
    again = 0
    for point in points:
        prepare = partial(_prepare, yard, point)
        yard.surely_killed(runs.up, SPEC, point, kills.when, prepare=prepare)
        if yard.standing() == nothing:
            continue
        again += 1
        yard.up()
        assert yard.standing() == whole, f"killed {kills.when} {point}"
        assert remaining(yard.down()) == {}
        assert yard.standing() == nothing, f"killed {kills.when} {point}"
    told = ", ".join(map(str, points))
    print(f"up killed {kills} ({told}), {again} left something: all survived")


@pytest.mark.parametrize(
    "kills", [in_every_run("after", each_change), *deep("before", each_change, parts=2)]
)
def test_up_over_a_changed_spec_killed_at_changes(yard: Yard, kills: Kills) -> None:
    """One more member, another access, another volume, and one member's instance is stopped."""
    recorded = []
    for _ in range(2):
        _half_asleep(yard)
        recorded.append(yard.calls_of(lambda: yard.up(CHANGED)))
        whole = yard.standing()
        yard.down()
    assert whole["instances"] == ["ana", "ben", "cyd"]
    points = kills.at(points_of(recorded))
    prepare = partial(_half_asleep, yard)
    for point in points:
        yard.surely_killed(runs.up, CHANGED, point, kills.when, prepare=prepare)
        yard.up(CHANGED)
        assert yard.standing() == whole, f"killed {kills.when} {point}"
        assert yard.states() == {"running"}, f"killed {kills.when} {point}"
        assert remaining(yard.down()) == {}
    told = ", ".join(map(str, points))
    print(f"up over a changed spec killed {kills} ({told}): all survived")


def _prepare(yard: Yard, point: Point) -> None:
    """Nothing stands, and prices are not known where they are to be asked for."""
    if any(yard.standing().values()):
        yard.down()
    if is_price(point.action):
        shutil.rmtree(yard.cache / "prices", ignore_errors=True)


def _half_asleep(yard: Yard) -> None:
    """The fleet of the first spec, one of whose instances is stopped."""
    if any(yard.standing().values()):
        yard.down()
    yard.up(SPEC)
    yard.stop("ben")
