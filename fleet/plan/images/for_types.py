"""Says which image a type would run, for types nobody has chosen yet. Takes a selector and what EC2 showed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.errors import NotFoundError
from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import ChosenImage, ImageCatalogue, choose_image
from fleet.plan.images.fit import refuse_type
from fleet.plan.images.named import named_image
from fleet.spec.model import ImageSelector

_ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True)
class ImagesForTypes:
    """The image of each architecture that there is one for; `notes` say which, and why that one."""

    images: Mapping[str, ImageFact]
    by_id: bool
    notes: tuple[str, ...]

    def drive(self, fact: InstanceTypeFact) -> bool:
        """Whether one of the images can run on a type."""
        return any(
            refuse_type(image, fact, chosen_by_id=self.by_id) is None
            for image in self.images.values()
        )


def choose_images(
    selector: ImageSelector,
    shown: Sequence[ImageFact],
    catalogue: ImageCatalogue,
    *,
    architecture: str | None,
    now: datetime,
) -> ImagesForTypes:
    """Choose for each architecture, or for the one that is asked for, as a plan would.

    Raises NotFoundError where there is an image for none of them.
    """
    if selector.framework is None:
        wanted: tuple[str, ...] = (_architecture(selector, shown),)
    else:
        wanted = (architecture,) if architecture else _ARCHITECTURES
    chosen, missing = [], []
    for each in wanted:
        try:
            chosen.append(choose_image(selector, shown, catalogue, architecture=each, now=now))
        except NotFoundError as error:
            missing.append(error)
    if not chosen:
        raise missing[0]
    facts = {image.image_id: image for image in shown}
    return ImagesForTypes(
        images={image.architecture: facts[image.image_id] for image in chosen},
        by_id=selector.id is not None,
        notes=(*map(_note, chosen), *(error.message for error in missing)),
    )


def _architecture(selector: ImageSelector, shown: Sequence[ImageFact]) -> str:
    """Give the architecture of the image that is named. Raises NotFoundError where the name means none."""
    if selector.name is not None:
        return named_image(selector.name, shown).architecture
    return shown[0].architecture if shown else _ARCHITECTURES[0]


def _note(image: ChosenImage) -> str:
    return f"held against {image.image_id}, {image.architecture}: {image.why}"
