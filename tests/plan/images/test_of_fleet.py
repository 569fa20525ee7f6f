"""A fleet keeps the image that it was made with, and says so where another one would be chosen today."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.launch import Observed, Owned
from fleet.plan.launch.plan import Plan
from tests.plan.images.test_choice import pytorch
from tests.plan.worlds import SPEC, gpu_type, instance, observed, plan, spec

OLD = observed().images[0]
NEW = dataclasses.replace(pytorch("2.13"), image_id="ami-0000000000000new0")


def world(*members: str, shown: tuple[ImageFact, ...], standing: tuple[ImageFact, ...]) -> Observed:
    instances = tuple(instance(n, member) for n, member in enumerate(members, 1))
    return observed(images=shown, images_of_fleet=standing, owned=Owned(instances=instances))


def planned(*members: str, image: str = "framework: pytorch", standing: bool = True) -> Plan:
    facts = world(*members, shown=(NEW,), standing=(OLD,) if standing else ())
    return plan(spec(SPEC.replace("framework: pytorch", image)), facts)


def test_a_new_fleet_gets_the_newest() -> None:
    assert planned().image.image_id == NEW.image_id


def test_a_living_fleet_keeps_its_image_and_hears_of_a_newer_one() -> None:
    found = planned("ana")
    assert found.image.image_id == found.template.image_id == OLD.image_id
    assert any(NEW.image_id in warning and "newer" in warning for warning in found.warnings)


def test_an_image_that_is_still_the_newest_is_not_told() -> None:
    found = plan(facts=world("ana", shown=(OLD,), standing=()))
    assert not any("newer image" in warning for warning in found.warnings)


def test_another_image_in_the_spec_is_taken_and_told() -> None:
    found = planned("ana", image='{framework: pytorch, version: "2.13"}'[1:-1])
    assert found.image.image_id == NEW.image_id
    assert any(f"keep {OLD.image_id}" in warning for warning in found.warnings)


def test_an_image_that_vanished_is_told_before_another_is_launched_beside_it() -> None:
    with pytest.raises(
        NotFoundError, match=f"{OLD.image_id}, which the fleet was made with"
    ) as told:
        planned("ana", standing=False)
    assert "fleet down" in told.value.remedy


def test_an_image_that_vanished_does_not_stop_those_who_run() -> None:
    found = planned("ana", "ben", "chloe", standing=False)
    assert found.template.image_id == OLD.image_id
    assert any("no longer visible" in warning for warning in found.warnings)


def test_a_type_that_the_image_cannot_drive_is_refused_before_launch() -> None:
    facts = observed(
        instance_types={"p3.2xlarge": gpu_type("p3.2xlarge")},
        offerings={"p3.2xlarge": frozenset({"us-east-1a"})},
    )
    wanted = spec(SPEC.replace("g5.xlarge, g4dn.xlarge", "p3.2xlarge"))
    with pytest.raises(FleetError, match="does not drive the p3 family"):
        plan(wanted, facts)
