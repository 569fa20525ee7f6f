"""Which image a type would run: one for each architecture, as a plan would choose it."""

from __future__ import annotations

import pytest

from fleet.assets.shipped import load_catalogue
from fleet.errors import NotFoundError
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.for_types import ImagesForTypes, choose_images
from fleet.spec.model import ImageSelector
from tests.plan.images.test_choice import BASE, NOW, TENSORFLOW, pytorch
from tests.plan.images.test_fit import ARM, PROPRIETARY
from tests.plan.worlds import gpu_type

G5G = gpu_type("g5g.xlarge", architectures=("arm64",))
G6F = gpu_type("g6f.large")
OLD, NEW = pytorch("2.9"), pytorch("2.10")
PYTORCH = ImageSelector(framework="pytorch")


def choose(
    selector: ImageSelector, *shown: ImageFact, architecture: str | None = None
) -> ImagesForTypes:
    return choose_images(selector, shown, load_catalogue(), architecture=architecture, now=NOW)


def test_each_architecture_has_its_newest() -> None:
    found = choose(PYTORCH, OLD, ARM, NEW)
    assert found.images == {"x86_64": NEW, "arm64": ARM}
    assert [note.partition(":")[0] for note in found.notes] == [
        f"held against {NEW.image_id}, x86_64",
        f"held against {ARM.image_id}, arm64",
    ]
    assert "PyTorch 2.10, Ubuntu 24.04, built 143 days ago" in found.notes[0]
    assert found.drive(gpu_type("g5.xlarge"))
    assert found.drive(G5G)
    assert not found.drive(gpu_type("p3.2xlarge"))
    assert not found.drive(gpu_type("g4ad.xlarge", manufacturer="AMD"))
    assert not found.drive(G6F)


def test_with_an_image_of_one_architecture_types_of_the_other_vanish() -> None:
    found = choose(PYTORCH, OLD)
    assert not found.drive(G5G)
    assert found.notes[1] == "no image for pytorch (arm64) is published in this region"
    only_arm = choose(PYTORCH, OLD, ARM, architecture="arm64")
    assert only_arm.images == {"arm64": ARM}
    assert not only_arm.drive(gpu_type("g5.xlarge"))


def test_by_id_the_image_says_its_architecture_and_the_risk_is_taken() -> None:
    found = choose(ImageSelector(id=NEW.image_id), NEW)
    assert found.images == {"x86_64": NEW}
    assert found.drive(G6F)
    assert not found.drive(G5G)
    proprietary = choose(ImageSelector(id=PROPRIETARY.image_id), PROPRIETARY)
    assert proprietary.drive(gpu_type("p3.2xlarge"))
    assert not proprietary.drive(gpu_type("p5.48xlarge"))


def test_tensorflow_is_that_of_a_plan() -> None:
    assert choose(ImageSelector(framework="tensorflow"), BASE, TENSORFLOW).images == {
        "x86_64": TENSORFLOW
    }
    on_base = choose(ImageSelector(framework="tensorflow"), BASE)
    assert on_base.images == {"x86_64": BASE}
    assert "installed on a Base image" in on_base.notes[0]


def test_where_there_is_none_nothing_is_guessed() -> None:
    with pytest.raises(NotFoundError, match="AWS stopped publishing MXNet images"):
        choose(ImageSelector(framework="mxnet"), NEW, BASE)
    with pytest.raises(NotFoundError, match="ami-12345678 is not visible"):
        choose(ImageSelector(id="ami-12345678"))
