"""What an image's name in a spec means, and what is known of an image that was baked."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.assets.shipped import load_catalogue
from fleet.errors import FleetError, NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.launch import Observed, Owned
from fleet.plan.images.choice import ChosenImage, choose_image
from fleet.plan.images.fit import refuse_type
from fleet.plan.images.for_types import choose_images
from fleet.plan.images.named import name_patterns
from fleet.plan.images.of_fleet import choose_fleet_image
from fleet.spec.model import ImageSelector
from tests.plan.images.images import BASE, NOW, baked
from tests.plan.worlds import gpu_type, instance, observed

TEAM = ImageSelector(name="team")
OLD = baked("team-1", days=3, status=tags.SUPERSEDED, promoted=3)
STABLE = baked("team-2", days=2, status=tags.STABLE, promoted=2)
TRY = baked("team-3", days=0)


def chosen(
    *images: ImageFact, selector: ImageSelector = TEAM, architecture: str = "x86_64"
) -> ChosenImage:
    return choose_image(selector, images, load_catalogue(), architecture=architecture, now=NOW)


@pytest.mark.parametrize(
    ("name", "patterns"),
    [
        ("team", ("team", "team-*")),
        ("a*b?c\\d", ("a\\*b\\?c\\\\d", "a\\*b\\?c\\\\d-*")),
    ],
)
def test_a_name_finds_itself_and_its_recipes_images(name: str, patterns: tuple[str, str]) -> None:
    assert name_patterns(name) == patterns


def test_an_exact_name_goes_before_a_recipes() -> None:
    exact = dataclasses.replace(OLD, name="team", tags={}, image_id="ami-exact")
    assert chosen(STABLE, exact).image_id == "ami-exact"
    assert chosen(STABLE, TRY, selector=ImageSelector(name="team-3")).image_id == TRY.image_id


def test_a_recipes_name_means_its_stable_image_never_a_candidate() -> None:
    assert chosen(TRY, OLD, STABLE).image_id == STABLE.image_id
    with pytest.raises(NotFoundError, match=r"recipe team has no stable image.*lists the 2 that"):
        chosen(OLD, TRY)


def test_names_that_only_begin_alike_are_others() -> None:
    other = baked("team-gpu-1", status=tags.STABLE, promoted=0)
    foreign = dataclasses.replace(STABLE, tags={tags.RECIPE: "team", tags.STATUS: tags.STABLE})
    with pytest.raises(NotFoundError, match="image team is not visible"):
        chosen(other, foreign)


def test_an_image_of_the_wrong_architecture_is_refused() -> None:
    with pytest.raises(FleetError, match="image team is for x86_64, the instance types are arm64"):
        chosen(STABLE, architecture="arm64")
    images = choose_images(TEAM, (TRY, STABLE), load_catalogue(), architecture=None, now=NOW)
    assert list(images.images) == ["x86_64"]
    with pytest.raises(NotFoundError, match="has no stable image"):
        choose_images(TEAM, (TRY,), load_catalogue(), architecture=None, now=NOW)


def test_a_baked_image_demands_the_framework_that_it_was_baked_for() -> None:
    found = chosen(STABLE)
    assert (found.framework, found.user) == ("pytorch", "ubuntu")
    assert found.interpreters == tuple(load_catalogue().interpreters["pytorch"])
    assert found.why == f"team-2, the stable image of recipe team, built 2 days ago, on {BASE}"
    amazon = dataclasses.replace(STABLE, tags={**STABLE.tags, tags.LOGIN_USER: "ec2-user"})
    assert chosen(amazon).user == "ec2-user"


def test_a_framework_that_was_installed_on_a_base_image_is_looked_for_where_it_is() -> None:
    base = "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260701"
    told = {**STABLE.tags, tags.BASE_NAME: base, tags.FRAMEWORK: "tensorflow"}
    found = chosen(dataclasses.replace(STABLE, tags=told))
    assert (found.framework, found.interpreters) == ("tensorflow", ())
    assert found.install == (load_catalogue().installed["tensorflow"].package,)
    assert not found.warnings


def test_without_a_framework_any_interpreter_will_do() -> None:
    base = "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260701"
    told = {**STABLE.tags, tags.BASE_NAME: base}
    del told[tags.FRAMEWORK]
    found = chosen(dataclasses.replace(STABLE, tags=told))
    assert (found.framework, found.install) == (None, ())


def test_a_base_image_is_asked_for_no_kernel() -> None:
    base = "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20260701"
    image = dataclasses.replace(STABLE, name=base, owner_id=load_catalogue().owner, tags={})
    assert chosen(image, selector=ImageSelector(framework="base")).framework is None


def test_tags_of_images_that_are_not_ours_tell_nothing() -> None:
    told = {tags.LOGIN_USER: "root", tags.FRAMEWORK: "mxnet", tags.RECIPE: "team"}
    found = chosen(dataclasses.replace(STABLE, name="team", tags=told))
    assert (found.framework, found.user) == (None, "ubuntu")


def test_an_image_that_is_deprecated_is_told() -> None:
    old = dataclasses.replace(STABLE, deprecated_at=NOW)
    assert chosen(old).warnings == ("ami-team-2 is deprecated since 2026-11-21",)


def test_the_driver_below_decides_what_a_baked_image_fits() -> None:
    refusal = refuse_type(STABLE, gpu_type("p3.2xlarge", gpu_name="V100"))
    assert refusal is not None
    assert "NVIDIA's open driver" in refusal.message


def in_fleet(facts: Observed, *, selector: ImageSelector = TEAM) -> ChosenImage:
    return choose_fleet_image(
        selector,
        facts,
        load_catalogue(),
        architecture="x86_64",
        types=[gpu_type("g5.xlarge")],
        launching=True,
        now=NOW,
    )


def test_a_live_fleet_keeps_its_image_and_is_told_of_a_promoted_one() -> None:
    mine = dataclasses.replace(instance(1, "ana"), image_id=OLD.image_id)
    facts = observed(images=(OLD, STABLE, TRY), owned=Owned(instances=(mine,)))
    found = in_fleet(facts)
    assert found.image_id == OLD.image_id
    (warning,) = found.warnings
    assert warning.startswith(f"a newer image is there: {STABLE.image_id}")


def test_a_live_fleet_is_told_of_a_roll_back() -> None:
    back = baked("team-1", days=3, status=tags.STABLE, promoted=0)
    mine = dataclasses.replace(instance(1, "ana"), image_id=STABLE.image_id)
    facts = observed(images=(back, STABLE), owned=Owned(instances=(mine,)))
    (warning,) = in_fleet(facts).warnings
    assert warning.startswith(f"the name means another image now: {back.image_id}")


def test_a_live_fleet_of_another_recipe_is_told() -> None:
    other = baked("other-1", status=tags.STABLE, promoted=0)
    mine = dataclasses.replace(instance(1, "ana"), image_id=other.image_id)
    facts = observed(images=(STABLE,), images_of_fleet=(other,), owned=Owned(instances=(mine,)))
    found = in_fleet(facts)
    assert found.image_id == STABLE.image_id
    assert "the spec asks for another image" in found.warnings[0]
