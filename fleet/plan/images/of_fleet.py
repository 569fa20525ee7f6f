"""Chooses the image of a fleet: the one that it was made with while it lives, else the newest that fits. Pure.

A later `up` never changes the image in silence: a newer one, or another one that the spec asks for by now, is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from fleet.errors import FleetError, NotFoundError
from fleet.plan.facts.environment import InstanceFact, youngest
from fleet.plan.facts.hardware import InstanceTypeFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.launch import Observed
from fleet.plan.images.choice import (
    ChosenImage,
    ImageCatalogue,
    choose_image,
    describe_choice,
    is_of_line,
    parse_dlami_name,
)
from fleet.plan.images.fit import require_fit
from fleet.plan.images.named import is_named
from fleet.plan.images.parameters import cross_checked
from fleet.spec.model import ImageSelector


def choose_fleet_image(
    selector: ImageSelector,
    observed: Observed,
    catalogue: ImageCatalogue,
    *,
    architecture: str,
    types: Sequence[InstanceTypeFact],
    launching: bool,
    now: datetime,
) -> ChosenImage:
    """Choose the image and hold it against the instance types.

    Raises NotFoundError where the fleet's own image has vanished and somebody still needs an instance of it.
    """

    def newest() -> ChosenImage:
        return choose_image(
            selector, observed.images, catalogue, architecture=architecture, now=now
        )

    standing = image_of_instances(observed.owned.instances)
    shown = (*observed.images, *observed.images_of_fleet)
    seen = {image.image_id: image for image in shown if image.state == "available"}
    kept = seen.get(standing or "")
    if standing is None:
        chosen = cross_checked(newest(), observed.line_parameters)
    elif kept is None:
        chosen = _vanished(standing, newest, selector=selector, launching=launching)
    elif not _still_asked(kept, selector, catalogue):
        chosen = newest()
        chosen = _warned(
            chosen, f"the spec asks for another image; running instances keep {kept.image_id}"
        )
    else:
        chosen = describe_choice(kept, selector, catalogue, now=now)
        chosen = _with_news(chosen, newest, seen if selector.name else {})
    if chosen.image_id in seen:
        require_fit(seen[chosen.image_id], types, chosen_by_id=selector.id is not None)
    return chosen


def image_of_instances(instances: Sequence[InstanceFact]) -> str | None:
    """The image that the fleet's youngest live instance was made with; None where none lives."""
    made_last = youngest(instances)
    return made_last.image_id if made_last else None


def _still_asked(kept: ImageFact, selector: ImageSelector, catalogue: ImageCatalogue) -> bool:
    if selector.framework is None:
        return kept.image_id == selector.id or is_named(kept, selector.name or "")
    name = parse_dlami_name(kept.name)
    if name is None:
        return False
    base = ImageSelector(framework="base", os=selector.os)
    on_base = selector.framework in catalogue.installed and is_of_line(name, base)
    return on_base or is_of_line(name, selector)


def _with_news(
    chosen: ChosenImage, newest: Callable[[], ChosenImage], named: Mapping[str, ImageFact]
) -> ChosenImage:
    """Tell of another image. `named` are those that a name is decided among: after a roll-back that is an older one."""
    try:
        found = newest()
    except FleetError:
        return chosen
    if found.image_id == chosen.image_id:
        return chosen
    other, own = named.get(found.image_id), named.get(chosen.image_id)
    older = other is not None and own is not None and other.created_at < own.created_at
    news = "the name means another image now" if older else "a newer image is there"
    return _warned(
        chosen,
        f"{news}: {found.image_id} ({found.why}); this fleet stays with its own until `fleet down`",
    )


def _vanished(
    image_id: str,
    newest: Callable[[], ChosenImage],
    *,
    selector: ImageSelector,
    launching: bool,
) -> ChosenImage:
    """Keep what runs; refuse to put an instance of another image beside it unasked."""
    gone = f"image {image_id}, which the fleet was made with, is no longer visible in this region"
    if selector.id not in {None, image_id}:
        return _warned(newest(), f"{gone}; running instances keep it")
    if launching or selector.id is not None:
        raise NotFoundError(
            gone, remedy="name another image by id for the new instances, or `fleet down` and `up`"
        )
    chosen = dataclasses.replace(
        newest(), image_id=image_id, why=f"{gone}; nothing new is launched"
    )
    return _warned(chosen, gone)


def _warned(chosen: ChosenImage, warning: str) -> ChosenImage:
    return dataclasses.replace(chosen, warnings=(*chosen.warnings, warning))
