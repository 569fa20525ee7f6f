"""The list of images: filtered by what names say and by what an instance type needs, newest first."""

from __future__ import annotations

import pytest

from fleet.assets.shipped import load_catalogue
from fleet.errors import FleetError
from fleet.plan.images.listing import ImageQuery, list_matching
from tests.plan.images.test_choice import BASE, NOW, TENSORFLOW, image, pytorch
from tests.plan.images.test_fit import ARM, NEURON, PROPRIETARY
from tests.plan.worlds import gpu_type

NEWEST = image(pytorch("2.10").name, created="2026-10-01")
ALL = [
    BASE, TENSORFLOW, ARM, NEURON, PROPRIETARY, NEWEST, pytorch("2.9"),
    image("Custom " + pytorch("2.9").name), image(BASE.name, owner_id="222634388391"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (ImageQuery(), 7),
        (ImageQuery(framework="pytorch"), 4),
        (ImageQuery(framework="pytorch", version="2.1"), 1),
        (ImageQuery(framework="pytorch", version="2.10"), 1),
        (ImageQuery(framework="base"), 1),
        (ImageQuery(framework="neuron"), 1),
        (ImageQuery(os="amazon-linux-2023"), 1),
        (ImageQuery(architecture="arm64"), 1),
        (ImageQuery(driver="proprietary"), 1),
        (ImageQuery(framework="mxnet"), 0),
    ],
)
def test_what_is_asked_for(query: ImageQuery, count: int) -> None:
    found = list_matching(ALL, query, load_catalogue(), instance_type=None, now=NOW)
    assert len(found) == count


def test_the_newest_comes_first_with_its_age_and_support() -> None:
    query = ImageQuery(framework="pytorch")
    first = list_matching(ALL, query, load_catalogue(), instance_type=None, now=NOW)[0]
    assert first.image.name == NEWEST.name
    told = first.as_json()
    assert (told["age_days"], told["patched_until"]) == (51, "2027-01-21")


def test_only_what_a_type_can_be_driven_by() -> None:
    found = list_matching(
        ALL, ImageQuery(), load_catalogue(), instance_type=gpu_type("p3.2xlarge"), now=NOW
    )
    assert [each.image.name for each in found] == [PROPRIETARY.name]


def test_a_type_that_none_can_drive_is_refused_with_the_reason() -> None:
    amd = gpu_type("g4ad.xlarge", manufacturer="AMD")
    with pytest.raises(FleetError, match=r"g4ad\.xlarge: its accelerators are AMD's"):
        list_matching(ALL, ImageQuery(), load_catalogue(), instance_type=amd, now=NOW)
    nothing = ImageQuery(framework="mxnet")
    assert list_matching(ALL, nothing, load_catalogue(), instance_type=amd, now=NOW) == ()
