r"""Images by name: the one of this very name, else the stable one of the recipe of that name.

And what a baked image tells of itself. EC2's filters take `*`, `?` and `\` for wildcards; names have none. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from fleet.errors import NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.dlami_names import DlamiName, parse_dlami_name
from fleet.plan.images.lineage import is_ours, lineage_of, recipe_of


def name_patterns(name: str) -> tuple[str, str]:
    """Give the patterns that find what a name may mean: an image's own name begins with its recipe's."""
    literal = re.sub(r"([*?\\])", r"\\\1", name)
    return literal, f"{literal}-*"


def named_image(name: str, images: Sequence[ImageFact]) -> ImageFact:
    """Choose among available images what a name means. Raises NotFoundError where it means none: never a candidate."""
    exact = [image for image in images if image.name == name]
    if exact:
        return max(exact, key=lambda image: image.created_at)
    lineage = lineage_of(name, images)
    if lineage.stable is not None:
        return lineage.stable
    if lineage.images:
        raise NotFoundError(
            f"recipe {name} has no stable image in this region",
            remedy=f"`fleet bake` makes one; `fleet amis ls {name}` lists the {len(lineage.images)} "
            "that there are: name one by id",
        )
    raise not_visible(name)


def not_visible(asked: str) -> NotFoundError:
    """Say that there is no image of an id or a name."""
    return NotFoundError(
        f"image {asked} is not visible in this region",
        remedy="check the id or name, the region, and that it is shared with this account",
    )


def is_named(image: ImageFact, name: str) -> bool:
    """Whether an image is one that a name means, or meant."""
    return name in {image.name, recipe_of(image)}


def dlami_below(image: ImageFact) -> DlamiName | None:
    """Read what a DLAMI's name says, or that of the DLAMI that an image was baked on; None where there is none."""
    base = image.tags.get(tags.BASE_NAME, "") if is_ours(image) else ""
    return parse_dlami_name(image.name) or parse_dlami_name(base)


def tagged_framework(image: ImageFact) -> str | None:
    """Give the framework that a baked image is for; None where nothing is told."""
    return image.tags.get(tags.FRAMEWORK) if is_ours(image) else None


def tagged_user(image: ImageFact) -> str | None:
    """Give the user that logs in to a baked image; None where nothing is told."""
    return image.tags.get(tags.LOGIN_USER) if is_ours(image) else None
