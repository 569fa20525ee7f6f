"""Lists images. Takes what EC2 showed and what is asked for; gives those that fit, the newest first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import ImageCatalogue
from fleet.plan.images.dlami_names import DlamiName, parse_dlami_name, version_numbers
from fleet.plan.images.fit import refuse_type

NAME_PATTERNS = ("Deep Learning *", "AWS Deep Learning *")
"""What every name of a DLAMI starts with, since 2017."""


@dataclass(frozen=True)
class ImageQuery:
    """Which images are asked for; None asks for all. `framework` is a framework or `base`."""

    framework: str | None = None
    version: str | None = None
    os: str | None = None
    architecture: str | None = None
    driver: str | None = None
    instance_type: str | None = None
    include_deprecated: bool = False


@dataclass(frozen=True)
class ListedImage:
    """An image with what its name says, its age in days, and until when it is patched (None: not known)."""

    image: ImageFact
    name: DlamiName
    age_days: int
    patched_until: date | None

    @property
    def what(self) -> str:
        """The framework, or else the kind, as one word."""
        return self.name.framework or self.name.kind

    def as_json(self) -> dict[str, object]:
        """Give the image as JSON."""
        return {
            "id": self.image.image_id,
            "name": self.image.name,
            "kind": self.name.kind,
            "framework": self.name.framework,
            "framework_version": self.name.framework_version,
            "os": self.name.os,
            "architecture": self.image.architecture,
            "driver": self.name.driver,
            "created_at": self.image.created_at.isoformat(),
            "age_days": self.age_days,
            "patched_until": self.patched_until.isoformat() if self.patched_until else None,
            "deprecated_at": self.image.deprecated_at.isoformat()
            if self.image.deprecated_at
            else None,
        }


def list_matching(
    images: Sequence[ImageFact],
    query: ImageQuery,
    catalogue: ImageCatalogue,
    *,
    instance_type: InstanceTypeFact | None,
    now: datetime,
) -> tuple[ListedImage, ...]:
    """Give the images of the DLAMI owner that a query asks for, the newest first.

    Raises FleetError with the newest one's reason where none of them can drive the instance type.
    """
    found = (
        ListedImage(
            image=image,
            name=name,
            age_days=max((now - image.created_at).days, 0),
            patched_until=catalogue.support.patched_until(name),
        )
        for image in images
        if image.owner_id == catalogue.owner
        and (name := parse_dlami_name(image.name)) is not None
        and _asked(name, image, query)
    )
    listed = sorted(found, key=lambda each: (each.image.created_at, each.image.name), reverse=True)
    return tuple(listed) if instance_type is None else _driving(listed, instance_type)


def _driving(
    listed: Sequence[ListedImage], instance_type: InstanceTypeFact
) -> tuple[ListedImage, ...]:
    fitting = tuple(each for each in listed if refuse_type(each.image, instance_type) is None)
    # of the type's own architecture, if there are any: their reason says more
    told = sorted(listed, key=lambda e: e.image.architecture not in instance_type.architectures)
    if not fitting and told and (refusal := refuse_type(told[0].image, instance_type)):
        raise refusal
    return fitting


def _asked(name: DlamiName, image: ImageFact, query: ImageQuery) -> bool:
    wanted = version_numbers(query.version)
    return (
        query.framework in {None, name.framework, name.kind}
        and version_numbers(name.framework_version)[: len(wanted)] == wanted
        and query.os in {None, name.os}
        and query.architecture in {None, image.architecture}
        and query.driver in {None, name.driver}
    )
