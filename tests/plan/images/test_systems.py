"""The operating systems of the catalogue, against the list of the spec and the names of images."""

from __future__ import annotations

import pytest

from fleet.assets.shipped import load_catalogue
from fleet.plan.images.dlami_names import parse_dlami_name
from fleet.plan.images.systems import OperatingSystem

SYSTEMS = {
    "ubuntu-26.04": OperatingSystem("Ubuntu 26.04", "ubuntu"),
    "ubuntu-24.04": OperatingSystem("Ubuntu 24.04", "ubuntu"),
    "ubuntu-22.04": OperatingSystem("Ubuntu 22.04", "ubuntu"),
    "ubuntu-20.04": OperatingSystem("Ubuntu 20.04", "ubuntu"),
    "amazon-linux-2023": OperatingSystem("Amazon Linux 2023", "ec2-user"),
    "amazon-linux-2": OperatingSystem("Amazon Linux 2", "ec2-user"),
}


def test_each_has_its_title_and_its_user() -> None:
    assert dict(load_catalogue().os) == SYSTEMS


@pytest.mark.parametrize("os", load_catalogue().os)
def test_an_image_name_is_read_back_to_the_system_that_it_was_made_of(os: str) -> None:
    title = load_catalogue().os[os].title
    read = parse_dlami_name(f"Deep Learning Base OSS Nvidia Driver GPU AMI ({title}) 20261101")
    assert read is not None
    assert read.os == os


@pytest.mark.parametrize("os", load_catalogue().os)
def test_each_has_a_date_until_when_it_is_patched(os: str) -> None:
    assert os in load_catalogue().support.os
