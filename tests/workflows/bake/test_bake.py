"""A bake: its stages, what it leaves, where it goes on; over a cloud without hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import fleet
from fleet.assets import recipe_files
from fleet.errors import BakeError, FleetError, NameTakenError
from fleet.plan import tags
from fleet.workflows.bake.apply import apply_bake, apply_bake_from
from fleet.workflows.bake.host import Finding
from fleet.workflows.bake.leftover_images import leftover_images
from fleet.workflows.bake.prepare import prepare_bake
from fleet.workflows.bake.source import find_source, recipe_of
from tests.sandbox.cloud.recording import serve
from tests.workflows.bake import bakes
from tests.workflows.bake.bakes import Bares, bake_with, images, read_recipe, recipe_text
from tests.workflows.conftest import spec_text
from tests.workflows.kills import BRISK, Yard

pytestmark = pytest.mark.slow


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


def test_the_api_bakes_nothing_that_is_there(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_CHECKIP_URL", f"{yard.served.url}/checkip")
    monkeypatch.setenv("FLEET_CACHE_DIR", str(yard.cache))
    report = bake_with(yard.context, recipe_text())
    recipe = read_recipe(recipe_text())
    session = yard.served.session()
    again = fleet.bake(recipe, session=session)
    assert (again.outcome, again.image_id) == ("unchanged", report.image_id)


def test_an_old_image_is_deprecated_already(yard: Yard) -> None:
    """EC2 refuses a time that is past."""
    text = recipe_text(ami="{deprecate_after: 1d}")
    bake_with(yard.context, text)
    later = replace(yard.context, now=lambda: datetime.now(UTC) + timedelta(days=2))
    assert bake_with(later, text).outcome == "unchanged"


def test_what_is_planned_changes_nothing(yard: Yard) -> None:
    seen = yard.changes_of(
        lambda: prepare_bake(yard.context, read_recipe(recipe_text()), bakes.NO_FILES)
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


def test_an_image_that_fails_is_removed_and_made_again_without_another_builder(yard: Yard) -> None:
    yard.served.cloud.faults.add("image-fails", calls=1)
    with pytest.raises(FleetError, match=r"is failed .*; it is removed"):
        bake_with(yard.context, recipe_text())
    assert images(yard.context) == ()
    assert yard.own_snapshots() == []
    assert yard.states() == {"stopped"}
    seen = yard.calls_of(lambda: bake_with(yard.context, recipe_text()))
    assert seen["CreateFleet"] == 1  # the try-out's
    assert [image.tags[tags.STATUS] for image in images(yard.context)] == [tags.STABLE]


def test_an_image_that_takes_too_long_is_waited_for_by_the_next_run(yard: Yard) -> None:
    yard.served.cloud.faults.add("slow-image", delay=2.0, calls=1)
    impatient = replace(yard.context, deadlines=replace(yard.context.deadlines, image=0.2))
    with pytest.raises(FleetError, match=r"still pending .* goes on waiting"):
        bake_with(impatient, recipe_text())
    seen = yard.calls_of(lambda: bake_with(yard.context, recipe_text()))
    assert seen["CreateImage"] == 0
    assert [image.tags[tags.STATUS] for image in images(yard.context)] == [tags.STABLE]


@pytest.mark.parametrize("fault", ["throttle", "server-error", "lost-request", "lost-response"])
def test_an_image_whose_call_goes_astray_is_made_once(yard: Yard, fault: str) -> None:
    yard.served.cloud.faults.add(fault, action="CreateImage", calls=2)
    report = bake_with(yard.context, recipe_text())
    assert [image.image_id for image in images(yard.context)] == [report.image_id]


def test_a_name_that_is_taken_is_told(yard: Yard) -> None:
    """By an image that is not the recipe's, under the very name."""
    yard.served.cloud.faults.add(
        "error", action="CreateImage", code="InvalidAMIName.Duplicate", message="taken", calls=1
    )
    with pytest.raises(NameTakenError):
        bake_with(yard.context, recipe_text())
    assert yard.states() == {"stopped"}
    assert bake_with(yard.context, recipe_text()).status == tags.STABLE


def test_an_image_of_an_environment(yard: Yard) -> None:
    """Its raw copy, whose first answer is lost, goes with the builder; the environment stays as it is."""
    yard.up(spec_text(members="[ana]"))
    before = yard.standing()
    source = find_source(yard.context, "workshop", "ana")
    recipe = recipe_of(yard.context, source, name="anas", request=None)
    plan = prepare_bake(yard.context, recipe, bakes.NO_FILES, anew=True)
    yard.served.cloud.faults.add("lost-response", action="CreateImage", calls=1)
    report = apply_bake_from(yard.context, plan, source, opener=Bares())
    (image,) = images(yard.context, "anas")
    assert (report.image_id, report.status) == (image.image_id, tags.STABLE)
    assert image.tags[tags.BASE_IMAGE] == source.image_id
    assert image.tags[tags.FRAMEWORK] == "pytorch"
    assert yard.own_snapshots() == sorted(image.snapshot_ids)
    assert len(yard.served.ec2.describe_images(Owners=["self"])["Images"]) == 1
    assert yard.standing() == before
    assert yard.served.driver.of(source.instance_id).count("power_off") == 0


def test_a_raw_copy_that_is_left_is_told_and_gone_on_with(yard: Yard) -> None:
    yard.up(spec_text(members="[ana]"))
    source = find_source(yard.context, "workshop", "ana")
    recipe = recipe_of(yard.context, source, name="anas", request=None)
    plan = prepare_bake(yard.context, recipe, bakes.NO_FILES, anew=True)
    yard.served.cloud.faults.add("error", action="CreateSecurityGroup", code="Odd", calls=1)
    with pytest.raises(FleetError):
        apply_bake_from(yard.context, plan, source, opener=Bares())
    (left,) = leftover_images(yard.context, plan, source)
    assert left.raw
    seen = yard.calls_of(lambda: apply_bake_from(yard.context, plan, source, opener=Bares()))
    assert seen["CreateImage"] == 1  # the image's: the raw copy was there
    assert leftover_images(yard.context, plan, source) == ()


def test_a_changed_recipe_takes_another_builder(yard: Yard) -> None:
    yard.served.cloud.faults.add("image-fails", calls=1)
    with pytest.raises(FleetError):
        bake_with(yard.context, recipe_text(step="true 1"))
    report = bake_with(yard.context, recipe_text(step="true 2"))
    assert [image.image_id for image in images(yard.context)] == [report.image_id]
    assert report.whole


def test_a_builder_that_does_not_go_is_not_gone_on_with(yard: Yard) -> None:
    """It is protected against termination: what may be half sanitised is in no image."""
    yard.served.cloud.faults.add("image-fails", calls=1)
    with pytest.raises(FleetError):
        bake_with(yard.context, recipe_text(step="true 1"))
    reservations = yard.served.ec2.describe_instances()["Reservations"]
    ids = [i["InstanceId"] for one in reservations for i in one["Instances"]]
    for instance_id in ids:
        yard.served.ec2.modify_instance_attribute(
            InstanceId=instance_id, DisableApiTermination={"Value": True}
        )
    with pytest.raises(FleetError, match="cannot be gone on with"):
        bake_with(yard.context, recipe_text(step="true 2"))
    assert images(yard.context) == ()


def test_a_builder_of_spot_is_not_stopped(yard: Yard) -> None:
    text = recipe_text().replace("[g5.xlarge]}", "[g5.xlarge], market: spot}")
    seen = yard.calls_of(lambda: bake_with(yard.context, text))
    assert seen["StopInstances"] == 0
    assert [image.tags[tags.STATUS] for image in images(yard.context)] == [tags.STABLE]


def test_copies_are_made_shared_deprecated_and_pruned_in_each_region(yard: Yard) -> None:
    ami = (
        "{copy_to: [eu-west-1, us-west-2], share_with: ['210987654321'], kms_key: alias/team, "
        "deprecate_after: 30d, keep: 2}"
    )
    reports = [
        bake_with(yard.context, recipe_text(step=f"true {number}", ami=ami)) for number in range(3)
    ]
    first, _, last = reports
    assert set(last.copies) == {"eu-west-1", "us-west-2"}
    assert {*last.removed} == {first.image_id, *first.copies.values()}
    for region, image_id in {"us-east-1": last.image_id, **last.copies}.items():
        ec2 = yard.served.client("ec2", region=region)
        (image,) = ec2.describe_images(ImageIds=[image_id])["Images"]
        assert image["BlockDeviceMappings"][0]["Ebs"]["Encrypted"]
        assert image["DeprecationTime"]
        allowed = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
        assert allowed["LaunchPermissions"] == [{"UserId": "210987654321"}]
        mine = ec2.describe_images(Owners=["self"])["Images"]
        assert len(mine) == 2
        assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 2


def test_a_copy_that_fails_is_told_and_made_by_the_next_run(yard: Yard) -> None:
    text = recipe_text(ami="{copy_to: [eu-west-1]}")
    yard.served.cloud.faults.add("image-fails", skip=1, calls=1)
    report = bake_with(yard.context, text)
    assert not report.whole
    assert "eu-west-1" in report.trouble
    again = bake_with(yard.context, text)
    assert (again.outcome, again.image_id) == ("unchanged", report.image_id)
    assert again.whole
    assert set(again.copies) == {"eu-west-1"}


@pytest.mark.parametrize("name", ["pytorch-team", "tensorflow-venv", "jupyter-ready"])
def test_the_recipes_that_ship_can_be_baked(yard: Yard, name: str) -> None:
    """With what the sandbox's AWS has of images, types and sizes."""
    folder = Path(__file__).parents[3] / "amis"
    recipe = recipe_files.read_recipe(folder / f"{name}.yaml")
    plan = prepare_bake(yard.context, recipe, recipe_files.read_recipe_files(folder, recipe))
    assert plan.base.root_size_gib <= recipe.builder.volume.size_gib
    assert apply_bake(yard.context, plan, opener=Bares()).status == tags.STABLE
