"""The public SSM parameters of the DLAMI lines. Takes images; gives the names to ask for, and a word where they differ.

Rule: the lower-case name without "deep", "learning", "ami" (DLAMI guide, "Find DLAMI ID", collected 2026-11-21). Pure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import ChosenImage, ImageCatalogue, is_of_line
from fleet.plan.images.dlami_names import DlamiName, parse_dlami_name, version_numbers
from fleet.spec.model import ImageSelector


def parameter_of(name: DlamiName) -> str | None:
    """Name the parameter of an image's line; None where the line has none that is known."""
    line = "oss-nvidia-driver-gpu"
    if name.driver != "oss" or name.kind not in {"single", "base"}:
        return None
    if name.kind == "base":
        line = f"base-{line}"
    else:
        version = ".".join(map(str, version_numbers(name.framework_version)[:2]))
        line = f"{line}-{name.framework}-{version}"
    return f"/aws/service/deeplearning/ami/{name.architecture}/{line}-{name.os}/latest/ami-id"


def parameters_to_ask(
    selector: ImageSelector, images: Sequence[ImageFact], catalogue: ImageCatalogue
) -> tuple[str, ...]:
    """Name the parameters of the newest image of each architecture that the selector asks for."""
    if selector.framework is None:
        return ()
    newest: dict[str, DlamiName] = {}
    for image in sorted(images, key=lambda each: each.created_at):
        name = parse_dlami_name(image.name)
        if name is None or image.owner_id != catalogue.owner or not is_of_line(name, selector):
            continue
        known = newest.get(image.architecture)
        numbers = version_numbers(name.framework_version)
        if known is None or numbers >= version_numbers(known.framework_version):
            newest[image.architecture] = name
    return tuple(sorted({path for name in newest.values() if (path := parameter_of(name))}))


def cross_checked(chosen: ChosenImage, parameters: Mapping[str, str]) -> ChosenImage:
    """Say in `why` where the line's parameter names another image than the chosen one."""
    name = parse_dlami_name(chosen.name)
    told = parameters.get((name and parameter_of(name)) or "")
    if told is None or told == chosen.image_id:
        return chosen
    return dataclasses.replace(chosen, why=f"{chosen.why}; SSM names {told} as the line's latest")
