"""A bake: its stages, what it leaves, where it goes on; over a cloud without hosts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.errors import BakeError
from fleet.plan import tags
from fleet.workflows.bake_host import Finding
from fleet.workflows.bake_plan import plan_bake
from tests.sandbox.cloud.recording import serve
from tests.workflows import bakes
from tests.workflows.bakes import Bares, bake_with, images, read_recipe, recipe_text
from tests.workflows.kills import BRISK, Yard


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path, recipe_text())


def test_a_bake_leaves_a_stable_image_and_nothing_else(yard: Yard) -> None:
    nothing = yard.standing()
    report = bake_with(yard.context, recipe_text())
    (image,) = images(yard.context)
    assert (report.outcome, report.image_id, report.status) == ("baked", image.image_id, "stable")
    assert report.whole
    assert yard.standing() == nothing
    assert yard.own_snapshots() == sorted(image.snapshot_ids)
    assert tags.FLEET not in image.tags
    assert image.tags[tags.BASE_NAME].startswith("Deep Learning OSS Nvidia Driver AMI GPU PyTorch")
    again = bake_with(yard.context, recipe_text())
    assert (again.outcome, again.image_id) == ("unchanged", image.image_id)
    assert len(images(yard.context)) == 1


def test_what_is_planned_changes_nothing(yard: Yard) -> None:
    seen = yard.changes_of(
        lambda: plan_bake(yard.context, read_recipe(recipe_text()), bakes.NO_FILES)
    )
    assert not seen


def test_failed_tests_leave_no_image_and_no_builder(yard: Yard) -> None:
    nothing = yard.standing()
    with pytest.raises(BakeError, match="1 of 1 tests failed"):
        bake_with(yard.context, recipe_text(), opener=Bares(refuses="bake-"))
    assert images(yard.context) == ()
    assert yard.own_snapshots() == []
    assert yard.standing() == nothing


def test_a_failed_try_out_leaves_a_candidate_that_is_tried_again(yard: Yard) -> None:
    with pytest.raises(BakeError, match="did not pass its try-out"):
        bake_with(yard.context, recipe_text(), opener=Bares(refuses="try-"))
    (image,) = images(yard.context)
    assert image.tags[tags.STATUS] == tags.CANDIDATE
    assert bake_with(yard.context, recipe_text()).image_id == image.image_id
    assert images(yard.context)[0].tags[tags.STATUS] == tags.STABLE


def test_secrets_stop_a_bake(yard: Yard) -> None:
    found = (Finding("/home/ubuntu/.bash_history", 3, "an AWS secret key"),)
    with pytest.raises(BakeError, match="there are secrets") as failed:
        bake_with(yard.context, recipe_text(), opener=Bares(findings=found))
    assert ".bash_history:3" in "".join(failed.value.log)
    assert images(yard.context) == ()
