"""Chooses the image. Takes a selector, the published DLAMI lines and what EC2 showed; gives one, and why.

Pure: `search_patterns` says what to ask EC2 for, `choose_image` decides among the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.errors import FleetError, NotFoundError
from fleet.plan.dlami_names import DlamiName, parse_dlami_name, version_numbers
from fleet.plan.facts import ImageFact
from fleet.spec.model import ImageSelector

__all__ = [
    "ChosenImage",
    "DlamiName",
    "ImageCatalogue",
    "ImageLine",
    "OperatingSystem",
    "choose_image",
    "login_user",
    "parse_dlami_name",
    "search_patterns",
]


@dataclass(frozen=True)
class OperatingSystem:
    """An operating system of the DLAMIs: its title in image names and the user that logs in."""

    title: str
    user: str


@dataclass(frozen=True)
class ImageLine:
    """One line of published images; `name` holds `{version}` and `{os}` where they vary."""

    framework: str
    architecture: str
    name: str


@dataclass(frozen=True)
class ImageCatalogue:
    """The DLAMI lines of `amis/dlami.yaml`."""

    owner: str
    os: Mapping[str, OperatingSystem]
    lines: tuple[ImageLine, ...]
    interpreters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class ChosenImage:
    """The image of the plan. `why` is one line for people; `interpreters` are candidates for the kernel."""

    image_id: str
    name: str
    architecture: str
    root_device: str
    root_size_gib: int
    user: str
    framework: str | None
    interpreters: tuple[str, ...]
    why: str


def search_patterns(selector: ImageSelector, catalogue: ImageCatalogue) -> tuple[str, ...]:
    """Give the name patterns (EC2's `*` globs) to ask DescribeImages for, of both architectures."""
    version = f"{selector.version}*" if selector.version else "*"
    os_title = catalogue.os[selector.os].title if selector.os else "*"
    return tuple(
        line.name.replace("{version}", version).replace("{os}", os_title) + " *"
        for line in catalogue.lines
        if line.framework == selector.framework
    )


def choose_image(
    selector: ImageSelector,
    images: Sequence[ImageFact],
    catalogue: ImageCatalogue,
    *,
    architecture: str,
    now: datetime,
) -> ChosenImage:
    """Choose the newest image that fits, or raise NotFoundError with what would fit."""
    if selector.framework is None:
        return _choose_named(selector, images, catalogue, architecture=architecture, now=now)
    fitting = [
        (version_numbers(name.framework_version), image.created_at, image)
        for image in images
        if image.owner_id == catalogue.owner
        and image.architecture == architecture
        and (name := parse_dlami_name(image.name)) is not None
        and is_of_line(name, selector)
    ]
    if not fitting:
        raise NotFoundError(
            f"no image for {_asked(selector)} ({architecture}) is published in this region",
            remedy=_remedy(selector),
        )
    newest = max(fitting, key=lambda found: found[:2])[2]
    return _chosen(newest, catalogue, framework=selector.framework, now=now)


def _choose_named(
    selector: ImageSelector,
    images: Sequence[ImageFact],
    catalogue: ImageCatalogue,
    *,
    architecture: str,
    now: datetime,
) -> ChosenImage:
    asked = selector.id or selector.name
    if not images:
        raise NotFoundError(
            f"image {asked} is not visible in this region",
            remedy="check the id or name, the region, and that it is shared with this account",
        )
    newest = max(images, key=lambda image: image.created_at)
    if newest.architecture != architecture:
        raise FleetError(
            f"image {asked} is for {newest.architecture}, the instance types are {architecture}",
            remedy=f"choose instance types for {newest.architecture} or another image",
        )
    return _chosen(newest, catalogue, framework=None, now=now)


def _chosen(
    image: ImageFact, catalogue: ImageCatalogue, *, framework: str | None, now: datetime
) -> ChosenImage:
    age_days = max((now - image.created_at).days, 0)
    frameworks = (framework,) if framework else tuple(catalogue.interpreters)
    return ChosenImage(
        image_id=image.image_id,
        name=image.name,
        architecture=image.architecture,
        root_device=image.root_device,
        root_size_gib=image.root_size_gib,
        user=login_user(image, catalogue),
        framework=framework,
        interpreters=tuple(path for name in frameworks for path in catalogue.interpreters[name]),
        why=f"{image.name}, built {age_days} days ago",
    )


def login_user(image: ImageFact, catalogue: ImageCatalogue) -> str:
    """Say who logs in: by the OS in the name, else by the root device that the OS family uses.

    Amazon Linux images have /dev/xvda, Ubuntu's /dev/sda1 (EC2 user guide, "Device names").
    """
    text = f"{image.name} {image.description}"
    for system in catalogue.os.values():
        if system.title in text:
            return system.user
    return "ec2-user" if image.root_device == "/dev/xvda" else "ubuntu"


def is_of_line(name: DlamiName, selector: ImageSelector) -> bool:
    """Whether a name is what a framework's selector asks for: its line, version and operating system."""
    kind = "base" if selector.framework == "base" else "single"
    framework = None if selector.framework == "base" else selector.framework
    wanted = version_numbers(selector.version)
    return (
        (name.kind, name.framework) == (kind, framework)
        and name.driver != "proprietary"
        and version_numbers(name.framework_version)[: len(wanted)] == wanted
        and selector.os in {None, name.os}
    )


def _asked(selector: ImageSelector) -> str:
    parts = (selector.framework, selector.version, selector.os)
    return " ".join(part for part in parts if part)


def _remedy(selector: ImageSelector) -> str:
    if selector.version or selector.os:
        return "leave out version or os under image:, or name an image by id"
    return "AWS may no longer publish it: use framework: base, or name an image by id"
