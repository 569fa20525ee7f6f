"""Chooses the image. Takes a selector, the published DLAMI lines and what EC2 showed; gives one, and why.

Pure: `search_patterns` says what to ask EC2 for, `choose_image` decides among the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fleet.errors import FleetError, NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.dlami_names import DlamiName, parse_dlami_name, version_numbers
from fleet.plan.images.lineage import is_baked, recipe_of
from fleet.plan.images.named import (
    dlami_below,
    named_image,
    not_visible,
    tagged_framework,
    tagged_user,
)
from fleet.plan.images.support import SupportTable, patch_text, patch_warning
from fleet.plan.images.systems import OperatingSystem
from fleet.spec.model import ImageSelector

__all__ = [
    "ChosenImage",
    "DlamiName",
    "ImageCatalogue",
    "ImageLine",
    "InstalledFramework",
    "choose_image",
    "describe_choice",
    "is_of_line",
    "login_user",
    "parse_dlami_name",
    "search_patterns",
]

_TITLES = {"pytorch": "PyTorch", "tensorflow": "TensorFlow", "mxnet": "MXNet"}


@dataclass(frozen=True)
class ImageLine:
    """One line of published images; `name` holds `{version}` and `{os}` where they vary."""

    framework: str
    architecture: str
    name: str


@dataclass(frozen=True)
class InstalledFramework:
    """A framework that is put on a Base image where AWS publishes none with it.

    `os` are the operating systems whose own Python it runs on, `architectures` those that it has GPU builds for.
    """

    package: str
    os: tuple[str, ...]
    architectures: tuple[str, ...]


@dataclass(frozen=True)
class ImageCatalogue:
    """The DLAMI lines of `amis/dlami.yaml`, and the support dates of `amis/support.yaml`."""

    owner: str
    os: Mapping[str, OperatingSystem]
    lines: tuple[ImageLine, ...]
    interpreters: Mapping[str, tuple[str, ...]]
    support: SupportTable
    installed: Mapping[str, InstalledFramework] = field(default_factory=dict)


@dataclass(frozen=True)
class ChosenImage:
    """The image of the plan. `why` is one line for people; `interpreters` are candidates for the kernel.

    `framework` is the one whose kernel must be there: as it is asked for, or as a baked image tells.
    `install` are the packages that make the framework's own venv where the image does not have it.
    """

    image_id: str
    name: str
    architecture: str
    root_device: str
    root_size_gib: int
    user: str
    framework: str | None
    interpreters: tuple[str, ...]
    why: str
    install: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def search_patterns(selector: ImageSelector, catalogue: ImageCatalogue) -> tuple[str, ...]:
    """Give the name patterns (EC2's `*` globs) to ask DescribeImages for, of both architectures."""
    version = f"{selector.version}*" if selector.version else "*"
    os_title = catalogue.os[selector.os].title if selector.os else "*"
    wanted = {selector.framework} | (
        {"base"} if selector.framework in catalogue.installed else set()
    )
    return tuple(
        line.name.replace("{version}", version).replace("{os}", os_title) + " *"
        for line in catalogue.lines
        if line.framework in wanted
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
        image = _asked(selector, images, architecture=architecture)
        return describe_choice(image, selector, catalogue, now=now)
    ours = [
        (name, image)
        for image in images
        if image.owner_id == catalogue.owner
        and image.architecture == architecture
        and (name := parse_dlami_name(image.name)) is not None
    ]
    fitting = [found for found in ours if is_of_line(found[0], selector)]
    if not fitting:
        fitting = _bases(ours, selector, catalogue, architecture=architecture)
    if not fitting:
        raise NotFoundError(
            _nothing(selector, architecture), remedy=_remedy(selector, architecture, catalogue)
        )
    _, newest = max(fitting, key=lambda found: _rank(*found))
    return describe_choice(newest, selector, catalogue, now=now)


def describe_choice(
    image: ImageFact, selector: ImageSelector, catalogue: ImageCatalogue, *, now: datetime
) -> ChosenImage:
    """Give an image that is decided on as the plan carries it: explained, with what must be installed."""
    name = dlami_below(image)
    framework = selector.framework or tagged_framework(image)
    install = _packages(name, framework, selector.version, catalogue)
    frameworks = (framework,) if framework else tuple(catalogue.interpreters)
    warning = name and patch_warning(name, catalogue.support, today=now.date())
    why = _why(image, name, catalogue, now=now)
    note: tuple[str, ...] = ()
    if install and selector.framework:
        note = (
            f"AWS publishes no such image: {install[0]} is installed on a Base image at bootstrap",
        )
    if is_baked(image) and image.deprecated_at and image.deprecated_at <= now:
        note = (f"{image.image_id} is deprecated since {image.deprecated_at:%Y-%m-%d}",)
    return ChosenImage(
        image_id=image.image_id,
        name=image.name,
        architecture=image.architecture,
        root_device=image.root_device,
        root_size_gib=image.root_size_gib,
        user=login_user(image, catalogue),
        framework=None if framework == "base" else framework,
        interpreters=()
        if install
        else tuple(path for each in frameworks for path in catalogue.interpreters.get(each, ())),
        why="; ".join((why, *note)),
        install=install,
        warnings=(*note, *((warning,) if warning else ())),
    )


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


def login_user(image: ImageFact, catalogue: ImageCatalogue) -> str:
    """Say who logs in: as a baked image tells, by the OS in the name, else by the root device that the OS uses.

    Amazon Linux images have /dev/xvda, Ubuntu's /dev/sda1 (EC2 user guide, "Device names").
    """
    if told := tagged_user(image):
        return told
    text = f"{image.name} {image.description}"
    for system in catalogue.os.values():
        if system.title in text:
            return system.user
    return "ec2-user" if image.root_device == "/dev/xvda" else "ubuntu"


def _asked(selector: ImageSelector, images: Sequence[ImageFact], *, architecture: str) -> ImageFact:
    asked = selector.id or selector.name
    if selector.name is not None:
        image = named_image(selector.name, images)
    elif images:
        image = images[0]
    else:
        raise not_visible(str(selector.id))
    if image.architecture != architecture:
        raise FleetError(
            f"image {asked} is for {image.architecture}, the instance types are {architecture}",
            remedy=f"choose instance types for {image.architecture} or another image",
        )
    return image


def _bases(
    ours: Sequence[tuple[DlamiName, ImageFact]],
    selector: ImageSelector,
    catalogue: ImageCatalogue,
    *,
    architecture: str,
) -> list[tuple[DlamiName, ImageFact]]:
    """Give the Base images that a framework can be installed on, where it can."""
    installed = catalogue.installed.get(selector.framework or "")
    if installed is None or architecture not in installed.architectures:
        return []
    base = ImageSelector(framework="base", os=selector.os)
    return [(n, i) for n, i in ours if is_of_line(n, base) and n.os in installed.os]


def _packages(
    name: DlamiName | None, framework: str | None, version: str | None, catalogue: ImageCatalogue
) -> tuple[str, ...]:
    installed = catalogue.installed.get(framework or "")
    if installed is None or name is None or name.kind != "base":
        return ()
    return (installed.package + (f"=={version}.*" if version else ""),)


def _rank(name: DlamiName, image: ImageFact) -> tuple[tuple[int, ...], datetime]:
    return version_numbers(name.framework_version), image.created_at


def _why(
    image: ImageFact, name: DlamiName | None, catalogue: ImageCatalogue, *, now: datetime
) -> str:
    """Explain an image: what it has, how old it is, until when it is patched."""
    age = f"built {max((now - image.created_at).days, 0)} days ago"
    if is_baked(image):
        below = image.tags.get(tags.BASE_NAME) or "an image that is not known"
        return f"{image.name}, {_kind(image)} of recipe {recipe_of(image)}, {age}, on {below}"
    if name is None:
        return f"{image.name}, {age}"
    title = _TITLES.get(name.framework or "", f"{name.kind.capitalize()} image")
    what = f"{title} {name.framework_version}" if name.framework_version else title
    system = catalogue.os.get(name.os)
    patched = patch_text(name, catalogue.support, today=now.date())
    return f"{what}, {system.title if system else name.os}, {age}, {patched}"


def _kind(image: ImageFact) -> str:
    status = image.tags.get(tags.STATUS, tags.CANDIDATE)
    return {tags.STABLE: "the stable image", tags.SUPERSEDED: "a superseded image"}.get(
        status, f"a {tags.CANDIDATE}"
    )


def _nothing(selector: ImageSelector, architecture: str) -> str:
    if selector.framework == "mxnet":
        return (
            f"AWS stopped publishing MXNet images; none ({architecture}) is visible in this region"
        )
    parts = (selector.framework, selector.version, selector.os)
    asked = " ".join(part for part in parts if part)
    return f"no image for {asked} ({architecture}) is published in this region"


def _remedy(selector: ImageSelector, architecture: str, catalogue: ImageCatalogue) -> str:
    if selector.framework == "mxnet":
        return "use framework: base with your packages under bootstrap, or name an image by id"
    installed = catalogue.installed.get(selector.framework or "")
    if installed is not None and architecture not in installed.architectures:
        return f"it has GPU builds for {', '.join(installed.architectures)} only: choose such types"
    if installed is not None and selector.os not in {None, *installed.os}:
        return f"write os: {installed.os[0]}, where it can be installed"
    if selector.version or selector.os:
        return "leave out version or os under image:, or name an image by id"
    return "AWS may no longer publish it: use framework: base, or name an image by id"
