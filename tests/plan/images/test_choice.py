"""The choice of an image among what EC2 shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fleet.assets.shipped import load_catalogue
from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import ChosenImage, choose_image, search_patterns
from fleet.spec.model import ImageSelector

NOW = datetime(2026, 11, 21, tzinfo=UTC)
OWNER = "898082745236"


def image(name: str, *, created: str = "2026-07-01", **changes: object) -> ImageFact:
    values: dict[str, object] = {
        "image_id": f"ami-{abs(hash(name)):017x}"[:21],
        "name": name,
        "owner_id": OWNER,
        "architecture": "x86_64",
        "created_at": datetime.fromisoformat(created).replace(tzinfo=UTC),
        "root_device": "/dev/sda1",
        "root_size_gib": 75,
        "state": "available",
    }
    return ImageFact(**{**values, **changes})  # type: ignore[arg-type]


def pytorch(version: str, os: str = "Ubuntu 24.04", date: str = "20260701") -> ImageFact:
    return image(f"Deep Learning OSS Nvidia Driver AMI GPU PyTorch {version} ({os}) {date}")


def chosen(selector: ImageSelector, *images: ImageFact, architecture: str = "x86_64") -> str:
    found = choose_image(selector, images, load_catalogue(), architecture=architecture, now=NOW)
    return found.name


def test_versions_compare_as_numbers() -> None:
    newest = pytorch("2.10")
    assert chosen(ImageSelector(framework="pytorch"), pytorch("2.9"), newest) == newest.name


@pytest.mark.parametrize(
    ("asked", "fits"), [("2.9", True), ("2", True), ("2.9.1", True), ("2.90", False), ("3", False)]
)
def test_an_asked_version_fits_whole_numbers_only(asked: str, fits: bool) -> None:
    selector = ImageSelector(framework="pytorch", version=asked)
    if fits:
        assert chosen(selector, pytorch("2.9.1"))
    else:
        with pytest.raises(NotFoundError, match=f"pytorch {asked}"):
            chosen(selector, pytorch("2.9.1"))


def test_a_look_alike_of_another_owner_is_never_chosen() -> None:
    fake = image(pytorch("2.13").name, owner_id="222634388391")
    assert chosen(ImageSelector(framework="pytorch"), fake, pytorch("2.9")) == pytorch("2.9").name
    with pytest.raises(NotFoundError):
        chosen(ImageSelector(framework="pytorch"), fake)


def test_a_name_that_only_contains_the_line_is_never_chosen() -> None:
    custom = image("Custom " + pytorch("2.13").name)
    copied = image(pytorch("2.13").name + " copy")
    with pytest.raises(NotFoundError):
        chosen(ImageSelector(framework="pytorch"), custom, copied)


def test_arm64_has_its_own_word_order() -> None:
    arm = image(
        "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.12 (Ubuntu 24.04) 20260701",
        architecture="arm64",
    )
    selector = ImageSelector(framework="pytorch")
    assert chosen(selector, arm, pytorch("2.13"), architecture="arm64") == arm.name


def test_patterns_ask_for_both_architectures() -> None:
    selector = ImageSelector(framework="pytorch", version="2.9", os="ubuntu-24.04")
    assert search_patterns(selector, load_catalogue()) == (
        "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9* (Ubuntu 24.04) *",
        "Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch 2.9* (Ubuntu 24.04) *",
    )


@pytest.mark.parametrize(
    ("name", "device", "user"),
    [
        ("Deep Learning … (Amazon Linux 2023) 20260701", "/dev/xvda", "ec2-user"),
        ("Deep Learning … (Ubuntu 22.04) 20260701", "/dev/sda1", "ubuntu"),
        ("our-own", "/dev/xvda", "ec2-user"),
        ("our-own", "/dev/sda1", "ubuntu"),
    ],
)
def test_login_user(name: str, device: str, user: str) -> None:
    own = image(name, root_device=device)
    selector = ImageSelector(id="ami-0123456789abcdef0")
    found = choose_image(selector, [own], load_catalogue(), architecture="x86_64", now=NOW)
    assert found.user == user


def test_an_image_of_the_wrong_architecture_is_refused() -> None:
    selector = ImageSelector(id="ami-0123456789abcdef0")
    with pytest.raises(FleetError, match="is for arm64, the instance types are x86_64"):
        chosen(selector, image("our-own", architecture="arm64"))


def choice(
    selector: ImageSelector, *images: ImageFact, architecture: str = "x86_64"
) -> ChosenImage:
    return choose_image(selector, images, load_catalogue(), architecture=architecture, now=NOW)


def test_the_choice_is_explained() -> None:
    found = choice(ImageSelector(framework="pytorch"), pytorch("2.9.1", date="20261011"))
    assert found.why == (
        "PyTorch 2.9.1, Ubuntu 24.04, built 143 days ago, patched until 2026-10-15: ended; "
        "newest still patched is 2.13"
    )
    assert found.warnings == (
        "security patches of the image ended on 2026-10-15; newest still patched is 2.13",
    )


@pytest.mark.parametrize(
    ("version", "warned"),
    [("2.13", False), ("2.11", False), ("2.10", False), ("2.9", True), ("2.99", False)],
)
def test_an_end_of_patch_is_warned_of(version: str, warned: bool) -> None:
    assert bool(choice(ImageSelector(framework="pytorch"), pytorch(version)).warnings) is warned


def test_an_end_of_patch_within_60_days_is_warned_of() -> None:
    later = datetime(2026, 12, 1, tzinfo=UTC)
    selector = ImageSelector(framework="pytorch")
    found = choose_image(
        selector, [pytorch("2.10")], load_catalogue(), architecture="x86_64", now=later
    )
    assert found.warnings[0].startswith(
        "security patches of the image end on 2027-01-21, in 51 days"
    )


def test_the_operating_system_ends_an_image_too() -> None:
    old = image("Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 20.04) 20240122")
    assert "patched until 2025-05-31: ended" in choice(ImageSelector(framework="base"), old).why


BASE = image("Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20261006")
TENSORFLOW = image(
    "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18 (Amazon Linux 2023) 20250424"
)


def test_tensorflow_is_the_newest_visible_image() -> None:
    found = choice(ImageSelector(framework="tensorflow"), BASE, TENSORFLOW)
    assert found.name == TENSORFLOW.name
    assert found.install == ()
    assert "patched until 2026-01-31: ended; no version is patched" in found.why


@pytest.mark.parametrize(
    ("version", "package"),
    [(None, "tensorflow[and-cuda]"), ("2.17", "tensorflow[and-cuda]==2.17.*")],
)
def test_tensorflow_without_an_image_is_installed_on_a_base(
    version: str | None, package: str
) -> None:
    newer = image("Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 26.04) 20261106")
    selector = ImageSelector(framework="tensorflow", version=version, os=None)
    found = choice(selector, BASE, newer)
    assert (found.name, found.install, found.framework) == (BASE.name, (package,), "tensorflow")
    note = f"AWS publishes no such image: {package} is installed on a Base image at bootstrap"
    assert note in found.why
    assert note in found.warnings


def test_tensorflow_on_arm64_says_why_not() -> None:
    arm = image(
        "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20261006",
        architecture="arm64",
    )
    with pytest.raises(NotFoundError, match="GPU builds for x86_64 only"):
        choice(ImageSelector(framework="tensorflow"), arm, architecture="arm64")


def test_mxnet_says_that_aws_stopped_and_what_works() -> None:
    with pytest.raises(NotFoundError, match=r"AWS stopped publishing MXNet.*framework: base"):
        choice(ImageSelector(framework="mxnet"), BASE)
