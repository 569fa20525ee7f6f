"""Promotions, prunings and copies killed (SIGKILL) after each AWS call that changes something; run again, done."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.workflows.bake.ami_copies import copy_each
from fleet.workflows.bake.amis import promote, prune
from tests.sandbox.cloud.recording import serve
from tests.workflows.bake import shelves
from tests.workflows.bake.shelves import Shelf
from tests.workflows.kills import BRISK, Yard
from tests.workflows.points import each_change, points_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
EU = "eu-west-1"


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path, "")


def test_a_promotion_killed_after_every_change(yard: Yard) -> None:
    """At no time does the recipe's name mean two images, or none."""
    shelf = Shelf(yard.served, yard.context)
    ids = itertools.cycle([shelf.stable("team-1"), shelf.stable("team-2")])
    recorded = [yard.calls_of(lambda: promote(yard.context, next(ids))) for _ in range(2)]
    points = each_change(points_of(recorded))
    assert points
    for point in points:
        image_id = next(ids)
        assert yard.killed(shelves.promote, image_id, point, "after")
        assert sorted(shelf.statuses().values()) == ["stable", "superseded"], f"{point}"
        promote(yard.context, image_id)
        assert sorted(shelf.told().values()) == ["stable", "superseded"], f"killed after {point}"


def test_a_pruning_killed_after_every_change(yard: Yard) -> None:
    """No snapshot and no manifest of an image that is gone is left."""
    shelf = Shelf(yard.served, yard.context)
    numbers = itertools.count(1)
    shelf.stable(f"team-{next(numbers)}")

    def one_too_many() -> str:
        return shelf.stable(f"team-{next(numbers)}")

    recorded = []
    for _ in range(2):
        one_too_many()
        recorded.append(yard.calls_of(lambda: prune(yard.context, "team", 1)))
    points = each_change(points_of(recorded))
    assert {point.action for point in points} == {
        "DeleteParameters",
        "DeregisterImage",
        "DeleteSnapshot",
    }
    for point in points:
        newest = one_too_many()
        assert yard.killed(shelves.prune, "1", point, "after")
        prune(yard.context, "team", 1)
        assert list(shelf.statuses().values()) == ["stable"], f"killed after {point}"
        assert shelf.snapshots() == set(shelf.image(newest).snapshot_ids), f"killed after {point}"
        assert shelf.parameters() == [newest], f"killed after {point}"


def test_a_copy_killed_after_every_change(yard: Yard) -> None:
    """There is one copy, with its manifest, and it is what the recipe's name means there."""
    shelf = Shelf(yard.served, yard.context)
    made: list[str] = []

    def another() -> str:
        made.append(shelf.stable(f"team-{len(made)}"))
        return made[-1]

    def copy(image_id: str) -> str:
        (copied,) = copy_each(yard.context, shelf.image(image_id), [EU], encrypted=True)
        assert not copied.trouble
        return copied.image_id

    copy(another())
    recorded = []
    for _ in range(2):
        another()
        recorded.append(yard.calls_of(lambda: copy(made[-1])))
    points = each_change(points_of(recorded))
    assert {point.action for point in points} == {"CopyImage", "PutParameter", "CreateTags"}
    for point in points:
        another()
        assert yard.killed(shelves.copy, made[-1], point, "after")
        there, told = copy(made[-1]), shelf.told(EU)
        stable = [name for name, status in told.items() if status == "stable"]
        assert stable == [shelf.image(made[-1]).name], f"killed after {point}"
        assert len(told) == len(made), f"killed after {point}: two copies of one image"
        assert there in shelf.parameters(EU), f"killed after {point}"
        assert len(shelf.snapshots(EU)) == len(told), f"killed after {point}"
