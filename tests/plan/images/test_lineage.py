"""Which image a recipe's name means, what may be promoted, and what may be removed."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from fleet.errors import FleetError, InUseError, NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact, SnapshotFact
from fleet.plan.images.lineage import (
    Lineage,
    lineage_of,
    loose_snapshots,
    plan_pruning,
    promotion_tags,
    refuse_removal,
    require_baked,
    require_previous,
    require_promotable,
    require_stable,
)
from tests.plan.images.images import NOW, baked


def lineage(*images: ImageFact) -> Lineage:
    return lineage_of("team", images)


def ids(images: tuple[ImageFact, ...]) -> list[str]:
    return [image.name for image in images]


OLD = baked("team-1", days=3, status=tags.SUPERSEDED, promoted=3)
MIDDLE = baked("team-2", days=2, status=tags.SUPERSEDED, promoted=2)
NEW = baked("team-3", days=1, status=tags.STABLE, promoted=1)
TRY = baked("team-4", days=0, status=tags.CANDIDATE)


def test_the_one_that_was_promoted_last_is_stable() -> None:
    stale = dataclasses.replace(MIDDLE, tags={**MIDDLE.tags, tags.STATUS: tags.STABLE})
    found = lineage(TRY, OLD, stale, NEW)
    assert ids(found.images) == ["team-4", "team-3", "team-2", "team-1"]
    assert [found.status(image) for image in found.images] == [
        "candidate",
        "stable",
        "superseded",
        "superseded",
    ]
    assert found.stable == NEW
    assert found.previous == stale


def test_an_older_image_that_was_promoted_again_is_stable() -> None:
    back = baked("team-1", days=3, status=tags.STABLE, promoted=0)
    found = lineage(back, MIDDLE, NEW)
    assert (found.stable, found.previous) == (back, NEW)


def test_only_what_can_be_launched_is_stable() -> None:
    pending = dataclasses.replace(NEW, state="pending")
    failed = dataclasses.replace(NEW, state="failed")
    assert lineage(pending).stable is None
    assert lineage(pending).status(pending) == "pending"
    assert lineage(failed, MIDDLE).status(failed) == "failed"


def test_what_others_tag_with_a_recipes_name_is_none_of_ours() -> None:
    foreign = dataclasses.replace(NEW, tags={tags.RECIPE: "team", tags.STATUS: tags.STABLE})
    assert lineage(foreign).images == ()
    with pytest.raises(NothingFoundError, match="was not made by `fleet bake`"):
        require_baked(foreign)


def test_a_candidate_is_not_promoted() -> None:
    with pytest.raises(FleetError, match=r"is a candidate.*`fleet bake`"):
        require_promotable(TRY, lineage(TRY, NEW))
    require_promotable(OLD, lineage(OLD, NEW))
    with pytest.raises(FleetError, match="still pending"):
        require_promotable(dataclasses.replace(TRY, state="pending"), lineage(NEW))
    gone = dataclasses.replace(TRY, state="failed", state_reason="Client.InternalError: sorry")
    with pytest.raises(FleetError, match=r"is failed .*sorry"):
        require_promotable(gone, lineage(NEW))


def test_a_recipe_without_a_stable_image_is_told_with_what_there_is() -> None:
    with pytest.raises(NothingFoundError, match="no image of a recipe team in us-east-1"):
        require_stable(lineage(), region="us-east-1")
    with pytest.raises(NothingFoundError, match="no image of recipe team in us-east-1 is stable"):
        require_stable(lineage(TRY), region="us-east-1")
    assert require_stable(lineage(TRY, NEW), region="us-east-1") == NEW
    with pytest.raises(NothingFoundError, match="no image that was stable before"):
        require_previous(lineage(NEW, TRY))


def test_a_promotion_is_later_than_all_others_even_where_the_clock_is_not() -> None:
    same_second = promotion_tags(lineage(baked("team-5", status=tags.STABLE, promoted=0)), now=NOW)
    assert same_second[tags.PROMOTED_AT] == tags.expiry_text(NOW + timedelta(seconds=1))
    behind = promotion_tags(lineage(NEW), now=NOW - timedelta(days=30))
    assert behind[tags.PROMOTED_AT] > NEW.tags[tags.PROMOTED_AT]
    assert promotion_tags(lineage(TRY), now=NOW)[tags.PROMOTED_AT] == tags.expiry_text(NOW)


def test_a_removal_is_refused_with_whoever_needs_the_image() -> None:
    found = lineage(OLD, NEW, TRY)
    users = {OLD.image_id: ("i-1 (workshop/ana)", "launch template fleet-workshop")}
    stable = refuse_removal(NEW, found, {})
    assert stable is not None
    assert "is the stable image of recipe team: promote another one first" in str(stable)
    assert refuse_removal(NEW, found, {}, retired=True) is None
    assert refuse_removal(OLD, found, users, retired=True) is not None
    used = refuse_removal(OLD, found, users)
    assert isinstance(used, InUseError)
    assert "is used by i-1 (workshop/ana), launch template fleet-workshop" in used.message
    assert refuse_removal(OLD, found, {}) is None
    assert refuse_removal(TRY, found, {}) is None


@pytest.mark.parametrize(
    ("keep", "removed"),
    [
        (1, ["team-2", "team-1", "team-0"]),
        (2, ["team-1", "team-0"]),
        (3, ["team-0"]),
        (9, ["team-0"]),
    ],
)
def test_pruning_keeps_the_newest_that_were_ever_stable(keep: int, removed: list[str]) -> None:
    passed_over = baked("team-0", days=4, status=tags.CANDIDATE)
    plan = plan_pruning(lineage(OLD, MIDDLE, NEW, TRY, passed_over), {}, keep=keep)
    assert ids(plan.remove) == removed
    assert plan.kept == {}


def test_pruning_keeps_the_stable_one_however_old_and_counts_it() -> None:
    back = baked("team-1", days=3, status=tags.STABLE, promoted=0)
    plan = plan_pruning(lineage(back, MIDDLE, baked("team-3", days=1)), {}, keep=1)
    assert ids(plan.remove) == ["team-2"]


def test_pruning_says_why_it_leaves_what_is_in_use_or_not_done() -> None:
    failed = dataclasses.replace(TRY, image_id="ami-failed", state="failed")
    pending = dataclasses.replace(baked("team-0", days=4), state="pending")
    users = {OLD.image_id: ("i-1 (workshop/ana)",)}
    plan = plan_pruning(lineage(OLD, MIDDLE, NEW, failed, pending), users, keep=1)
    assert [image.image_id for image in plan.remove] == [MIDDLE.image_id, "ami-failed"]
    assert plan.kept == {
        OLD.image_id: f"{OLD.image_id} is used by i-1 (workshop/ana)",
        pending.image_id: f"{pending.image_id} is still pending",
    }


def test_without_a_stable_one_candidates_stay() -> None:
    plan = plan_pruning(lineage(OLD, MIDDLE, TRY), {}, keep=1)
    assert ids(plan.remove) == ["team-1"]


def test_snapshots_of_removed_images_are_loose_unless_an_image_is_being_made() -> None:
    image = dataclasses.replace(NEW, snapshot_ids=("snap-1",))
    other = SnapshotFact("snap-3", "other", 8, "completed")
    snapshots = (
        SnapshotFact("snap-1", "team", 8, "completed"),
        SnapshotFact("snap-2", "team", 8, "completed"),
        SnapshotFact("snap-4", "team", 8, "pending"),
        other,
    )
    assert [s.snapshot_id for s in loose_snapshots(snapshots, [image])] == ["snap-2", "snap-3"]
    pending = dataclasses.replace(TRY, state="pending")
    assert loose_snapshots(snapshots, [image, pending]) == (other,)
