"""Baked images: promoted, shared, deprecated, copied, pruned, removed; over a cloud without hosts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fleet.aws.own_images import describe_recipe_images
from fleet.aws.snapshots import delete_snapshot, deregister_image
from fleet.errors import AwsError, FleetError, InUseError, NotFoundError, NothingFoundError
from fleet.plan import tags
from fleet.workflows.bake.ami_copies import copy_each
from fleet.workflows.bake.ami_reports import diff_amis, list_amis, show_ami
from fleet.workflows.bake.amis import (
    apply_removal,
    deprecate,
    prepare_promotion,
    prepare_removal,
    prepare_rollback,
    promote,
    prune,
    share,
)
from fleet.workflows.images.lineage import in_region
from tests.sandbox.cloud.asking import template
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.bake.shelves import MANIFEST, Shelf
from tests.workflows.runs import context_over

pytestmark = pytest.mark.slow

OTHER = "210987654321"
EU = "eu-west-1"


@pytest.fixture(scope="module")
def served_once() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def shelf(served_once: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shelf]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served_once.url)
    yield Shelf(served_once, context_over(served_once.url, tmp_path))
    served_once.cloud.reset()
    served_once.driver.booted.clear()


def test_a_promotion_supersedes_the_one_before(shelf: Shelf) -> None:
    first, second = shelf.stable("team-1"), shelf.stable("team-2")
    assert shelf.told() == {"team-1": "superseded", "team-2": "stable"}
    assert shelf.image(second).tags[tags.PROMOTED_AT] > shelf.image(first).tags[tags.PROMOTED_AT]
    (snapshot,) = shelf.served.ec2.describe_snapshots(
        SnapshotIds=list(shelf.image(second).snapshot_ids)
    )["Snapshots"]
    assert {"Key": tags.STATUS, "Value": "stable"} in snapshot["Tags"]
    again = promote(shelf.context, second)
    assert again.done


def test_a_rollback_goes_to_the_one_before_and_back(shelf: Shelf) -> None:
    first, second = shelf.stable("team-1"), shelf.stable("team-2")
    back = prepare_rollback(shelf.context, "team")
    assert back.as_json() == {
        "recipe": "team",
        "stable": first,
        "name": "team-1",
        "before": second,
        "changed": True,
    }
    promote(shelf.context, back.image.image_id)
    assert shelf.told() == {"team-1": "stable", "team-2": "superseded"}
    assert prepare_rollback(shelf.context, "team").image.image_id == second


def test_what_was_not_tried_or_is_not_ours_is_not_promoted(shelf: Shelf) -> None:
    candidate = shelf.candidate("team-1")
    with pytest.raises(FleetError, match="is a candidate"):
        prepare_promotion(shelf.context, candidate)
    foreign = shelf.begin("theirs-1", **{tags.MANAGED_BY: "somebody"})
    with pytest.raises(NothingFoundError, match="was not made by `fleet bake`"):
        prepare_promotion(shelf.context, foreign)
    with pytest.raises(NotFoundError, match="is not there in us-east-1"):
        prepare_promotion(shelf.context, "ami-0123456789abcdef1")
    with pytest.raises(NothingFoundError, match="no image that was stable before"):
        prepare_rollback(shelf.context, "team")
    fault = shelf.served.cloud.faults.add("slow-image", delay="20m", calls=1)
    pending = shelf.begin("team-2")
    with pytest.raises(FleetError, match="is still pending"):
        prepare_promotion(shelf.context, pending)
    shelf.served.cloud.faults.clear(fault.id)


def test_sharing_says_who_may_launch(shelf: Shelf) -> None:
    image_id = shelf.stable("team-1")
    assert share(shelf.context, image_id, add=[OTHER, "111122223333"]) == ("111122223333", OTHER)
    assert share(shelf.context, image_id, remove=[OTHER]) == ("111122223333",)
    (listed,) = list_amis(shelf.context, "team").images
    assert listed.shared_with == ("111122223333",)


def test_deprecation_and_back(shelf: Shelf) -> None:
    image_id = shelf.stable("team-1")
    at = shelf.context.now() + timedelta(days=90)
    deprecate(shelf.context, image_id, at=at)
    told = shelf.image(image_id).deprecated_at
    assert told is not None
    assert abs(told - at) <= timedelta(minutes=1)
    deprecate(shelf.context, image_id, at=None)
    assert shelf.image(image_id).deprecated_at is None


def test_copies_carry_tags_and_manifest_and_are_made_once(shelf: Shelf) -> None:
    image = shelf.image(shelf.stable("team-1"))
    made = copy_each(shelf.context, image, [EU, "us-west-2", EU], encrypted=True)
    assert [(one.region, one.made, one.trouble) for one in made] == [
        (EU, True, ""),
        ("us-west-2", True, ""),
    ]
    assert shelf.told(EU) == {"team-1": "stable"}
    assert shelf.parameters(EU) == [made[0].image_id]
    again = copy_each(shelf.context, image, [EU], encrypted=True)
    assert [(one.image_id, one.made) for one in again] == [(made[0].image_id, False)]
    (there,) = describe_recipe_images(in_region(shelf.context, EU).aws, recipe="team")
    assert there.encrypted
    assert {k: v for k, v in there.tags.items() if k != "Name"}.items() <= image.tags.items()
    shown = show_ami(shelf.context, "team", all_regions=True)
    assert [(copy.region, copy.status) for copy in shown.copies or ()] == [
        (EU, "stable"),
        ("us-west-2", "stable"),
    ]
    assert shown.unread == ()


def test_a_copy_of_a_newly_promoted_image_supersedes_the_older_copy(shelf: Shelf) -> None:
    for name in ("team-1", "team-2"):
        (copied,) = copy_each(shelf.context, shelf.image(shelf.stable(name)), [EU])
        assert not copied.trouble
    assert shelf.told(EU) == {"team-1": "superseded", "team-2": "stable"}


def test_a_copy_that_was_made_of_a_candidate_becomes_stable_with_it(shelf: Shelf) -> None:
    image_id = shelf.candidate("team-1")
    copy_each(shelf.context, shelf.image(image_id), [EU])
    assert shelf.told(EU) == {"team-1": "candidate"}
    promote(shelf.context, image_id)
    (copied,) = copy_each(shelf.context, shelf.image(image_id), [EU])
    assert not copied.made
    assert shelf.told(EU) == {"team-1": "stable"}


def test_a_region_that_fails_stops_no_other_and_is_copied_to_again(shelf: Shelf) -> None:
    image = shelf.image(shelf.stable("team-1"))
    shelf.served.cloud.faults.add("image-fails", calls=1)
    made = copy_each(shelf.context, image, [EU, "us-west-2"])
    (failed,) = [one for one in made if one.trouble]
    assert "is failed" in failed.trouble
    assert "it is removed: run the same command again" in failed.trouble
    assert shelf.snapshots(failed.region) == set()
    again = copy_each(shelf.context, image, [EU, "us-west-2"])
    assert {one.region: one.made for one in again} == {
        EU: failed.region == EU,
        "us-west-2": failed.region == "us-west-2",
    }


def test_a_copy_whose_answer_was_lost_is_not_made_twice(shelf: Shelf) -> None:
    image = shelf.image(shelf.stable("team-1"))
    shelf.served.cloud.faults.add("lost-response", action="CopyImage", calls=1)
    (copied,) = copy_each(shelf.context, image, [EU])
    assert (copied.trouble, len(shelf.statuses(EU))) == ("", 1)


def test_a_copy_that_is_removed_can_be_made_again(shelf: Shelf) -> None:
    image = shelf.image(shelf.stable("team-1"))
    (first,) = copy_each(shelf.context, image, [EU])
    place = in_region(shelf.context, EU)
    (there,) = describe_recipe_images(place.aws, recipe="team")
    deregister_image(place.aws, image_id=first.image_id)
    delete_snapshot(place.aws, snapshot_id=there.snapshot_ids[0])
    (second,) = copy_each(shelf.context, image, [EU])
    assert second.made
    assert second.image_id != first.image_id


def test_a_copy_that_is_not_encrypted_is_no_encrypted_copy(shelf: Shelf) -> None:
    shelf.unencrypted()
    image = shelf.image(shelf.stable("team-1"))
    (copied,) = copy_each(shelf.context, image, [EU])
    (refused,) = copy_each(shelf.context, image, [EU], encrypted=True)
    assert f"{copied.image_id} is there already and is not encrypted" in refused.trouble


def test_pruning_removes_images_with_snapshots_and_manifests(shelf: Shelf) -> None:
    ids = [shelf.stable(f"team-{number}") for number in range(1, 5)]
    other = shelf.stable("other-1")
    user = shelf.region.launched(image=ids[0], name="workshop", member="ana")["InstanceId"]
    pruned = prune(shelf.context, "team", 2)
    assert pruned.removed == (ids[1],)
    assert pruned.kept_because == {ids[0]: f"{ids[0]} is used by {user} (workshop/ana)"}
    assert shelf.statuses() == {
        "team-1": "superseded",
        "team-3": "superseded",
        "team-4": "stable",
    }
    kept = [ids[0], ids[2], ids[3], other]
    assert shelf.snapshots() == {s for one in kept for s in shelf.image(one).snapshot_ids}
    assert shelf.parameters() == sorted(kept)
    again = prune(shelf.context, "team", 2)
    assert (again.removed, again.snapshots) == ((), ())


def test_pruning_leaves_what_a_launch_template_begins_with(shelf: Shelf) -> None:
    first, _ = shelf.stable("team-1"), shelf.stable("team-2")
    template(shelf.served, ImageId=first)
    pruned = prune(shelf.context, "team", 1)
    assert pruned.removed == ()
    assert "launch template fleet-course" in pruned.kept_because[first]


def test_what_a_pruning_that_was_broken_off_left_is_removed(shelf: Shelf) -> None:
    first, _ = shelf.stable("team-1"), shelf.stable("team-2")
    snapshots = shelf.image(first).snapshot_ids
    deregister_image(shelf.context.aws, image_id=first)
    assert [one.snapshot_id for one in list_amis(shelf.context, None).loose] == list(snapshots)
    assert prune(shelf.context, "team", 5).snapshots == snapshots
    assert list_amis(shelf.context, None).loose == ()


def test_a_removal_takes_all_or_nothing(shelf: Shelf) -> None:
    first, second, stable = (shelf.stable(f"team-{number}") for number in range(1, 4))
    with pytest.raises(FleetError, match="is the stable image of recipe team"):
        prepare_removal(shelf.context, [first, stable])
    user = shelf.region.launched(image=second)["InstanceId"]
    with pytest.raises(InUseError, match=f"{second} is used by {user}"):
        prepare_removal(shelf.context, [first, second])
    with pytest.raises(NotFoundError):
        prepare_removal(shelf.context, ["ami-0123456789abcdef1"])
    removal = prepare_removal(shelf.context, [first, first])
    assert (removal.image_ids, removal.gone) == ((first,), ())
    apply_removal(shelf.context, removal)
    assert sorted(shelf.statuses()) == ["team-2", "team-3"]
    assert first not in shelf.parameters()
    assert not set(removal.snapshot_ids) & shelf.snapshots()


def test_a_recipe_is_retired_with_all_its_images_or_not(shelf: Shelf) -> None:
    first, second = shelf.stable("team-1"), shelf.stable("team-2")
    with pytest.raises(FleetError, match="is the stable image"):
        prepare_removal(shelf.context, [second], retire=True)
    with pytest.raises(FleetError, match="or name all of them with --retire"):
        prepare_removal(shelf.context, [first, second])
    apply_removal(shelf.context, prepare_removal(shelf.context, [first, second], retire=True))
    assert (shelf.statuses(), shelf.snapshots(), shelf.parameters()) == ({}, set(), [])


def test_what_cannot_be_shared_is_told_with_the_way_out(shelf: Shelf) -> None:
    shelf.instance_id = shelf.region.launched()["InstanceId"]  # encrypted with EBS's own key
    image_id = shelf.stable("team-1")
    with pytest.raises(AwsError, match=r"can't be shared.*give the recipe a kms_key") as caught:
        share(shelf.context, image_id, add=[OTHER])
    assert caught.value.code == "InvalidParameter"


def test_a_removal_that_was_broken_off_goes_on(shelf: Shelf) -> None:
    first, _ = shelf.stable("team-1"), shelf.stable("team-2")
    snapshots = shelf.image(first).snapshot_ids
    deregister_image(shelf.context.aws, image_id=first)
    removal = prepare_removal(shelf.context, [first])
    assert (removal.gone, removal.images, removal.snapshot_ids) == ((first,), (), snapshots)
    apply_removal(shelf.context, removal)
    assert not set(snapshots) & shelf.snapshots()
    with pytest.raises(NotFoundError):
        prepare_removal(shelf.context, [first])


def test_a_list_tells_what_images_cost_and_who_uses_them(shelf: Shelf) -> None:
    first, second = shelf.stable("team-1"), shelf.stable("team-2")
    shelf.stable("other-1")
    user = shelf.region.launched(image=first, name="workshop", member="ana")["InstanceId"]
    found = list_amis(shelf.context, "team")
    assert [each.image.image_id for each in found.images] == [second, first]
    old = found.images[1]
    assert (old.status, old.used_by, old.size_gib) == (
        "superseded",
        (f"{user} (workshop/ana)",),
        80,
    )
    assert old.monthly_usd is not None
    assert 0 < old.monthly_usd < 10
    assert old.base == "PyTorch 2.13 ubuntu-24.04 20260701"
    assert len(list_amis(shelf.context, None).images) == 3
    assert list_amis(shelf.context, "none").as_json() == {
        "region": "us-east-1",
        "images": [],
        "loose_snapshots": [],
    }


def test_one_image_is_shown_with_what_is_on_it(shelf: Shelf) -> None:
    image_id = shelf.stable("team-1")
    shown = show_ami(shelf.context, "team")
    assert shown.listed.image.image_id == image_id
    told = shown.as_json(packages=True)
    assert told["manifest"] == json.loads(MANIFEST)
    assert (told["baked_seconds"], told["copies"]) == (1080, None)
    assert shown.as_json(packages=False)["manifest"] == {
        "system": "Ubuntu 24.04",
        "used_mib": 41230,
        "sections": [
            {"where": "apt", "packages": 1, "kib": 21000},
            {"where": "/opt/pytorch", "packages": 1, "kib": 2100000},
        ],
    }


def test_two_images_are_compared(shelf: Shelf) -> None:
    newer = MANIFEST.replace("2.13.0", "2.14.0").replace("41230", "42000")
    old, _ = shelf.stable("team-1"), shelf.stable("team-2", manifest=newer)
    found = diff_amis(shelf.context, old, "team").packages
    assert [(s.where, [c.name for c in s.changed]) for s in found.sections] == [
        ("/opt/pytorch", ["torch"])
    ]
    assert found.used_mib == 770
    bare = shelf.candidate("team-3", manifest="")
    with pytest.raises(NothingFoundError, match="no list of packages"):
        diff_amis(shelf.context, old, bare)


def test_a_name_that_has_no_image_is_told(shelf: Shelf) -> None:
    with pytest.raises(NothingFoundError, match="no image of a recipe team in us-east-1"):
        show_ami(shelf.context, "team")
    shelf.candidate("team-1")
    with pytest.raises(NothingFoundError, match="no image of recipe team in us-east-1 is stable"):
        show_ami(shelf.context, "team")
