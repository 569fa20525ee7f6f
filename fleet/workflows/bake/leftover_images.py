"""Which images a bake that ended early leaves behind: whatever is there costs something, and is told."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.aws.own_images import describe_recipe_images
from fleet.plan import tags
from fleet.plan.bake.plan import BakePlan
from fleet.plan.facts.environment import InstanceFact
from fleet.workflows.bake.source import find_raw_image
from fleet.workflows.context import Context


@dataclass(frozen=True)
class LeftoverImage:
    """An image that no name leads to. `raw`: a copy of an environment's disk, which goes with the builder's fleet."""

    image_id: str
    state: str
    raw: bool


def leftover_images(
    context: Context, plan: BakePlan, source: InstanceFact | None
) -> tuple[LeftoverImage, ...]:
    """Give the recipe's images that were not tried yet, and the raw copy. Raises AwsError."""
    found = [
        LeftoverImage(image.image_id, image.state, raw=False)
        for image in describe_recipe_images(context.aws, recipe=plan.recipe.name)
        if image.tags.get(tags.STATUS) == tags.CANDIDATE
    ]
    raw = find_raw_image(context, plan.recipe.name, source) if source else None
    return (*found, *([LeftoverImage(raw, "", raw=True)] if raw else []))
