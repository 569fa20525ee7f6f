"""Plans a bake: what is there already, what the builder begins with, what it costs. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from fleet.aws.own_images import describe_recipe_images
from fleet.plan.bake.plan import (
    BakePlan,
    builder_spec,
    content_digest,
    expected,
    image_name,
    image_of,
    stage_of,
)
from fleet.recipe.files import RecipeFiles
from fleet.recipe.model import Recipe
from fleet.side_by_side import side_by_side
from fleet.workflows.context import Context
from fleet.workflows.launch.prepare import prepare_up


def prepare_bake(
    context: Context,
    recipe: Recipe,
    files: RecipeFiles,
    *,
    raw_image: str | None = None,
    anew: bool = False,
) -> BakePlan:
    """Observe and plan. With `raw_image` the builder begins with that copy of an environment.

    With `anew` an image of the same content is no reason to bake nothing.
    """
    with side_by_side(1) as reads:
        images = reads.ask(describe_recipe_images, context.aws, recipe=recipe.name)
        builder = prepare_up(context, builder_spec(recipe, raw_image=raw_image), folder=Path())
        earlier = sorted(images(), key=lambda image: image.created_at, reverse=True)
    content = content_digest(recipe, files, builder.image.image_id)
    standing = builder.owned.youngest
    stage = stage_of(standing, content)
    begun = None
    if standing is not None and stage != "stale":
        begun = image_name(recipe, content, begun_at=standing.launched_at)
    seconds, by = expected(earlier)
    return BakePlan(
        recipe=recipe,
        files=files,
        digest=content,
        builder=builder,
        stage=stage,
        earlier=tuple(earlier),
        same=None if anew and begun is None else image_of(earlier, content, begun=begun),
        expected_seconds=seconds,
        expected_by=by,
        raw_image=raw_image,
        anew=anew,
    )
