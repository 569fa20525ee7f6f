"""Finds baked images by id or by their recipe, and tags them, in whichever region a context is for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from fleet.aws.images import describe_image
from fleet.aws.own_images import describe_recipe_images, tag_resources
from fleet.errors import NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.lineage import Lineage, lineage_of, require_baked, require_stable
from fleet.workflows.context import Context
from fleet.workflows.pacing import create_tags_bucket
from fleet.workflows.retrying import once_known


def in_region(context: Context, region: str) -> Context:
    """Give the same run's context in another region, where EC2 counts requests apart."""
    if region == context.aws.region:
        return context
    aws = context.aws.in_region(region)
    return dataclasses.replace(context, aws=aws, tagging=create_tags_bucket())


def find_image(context: Context, image_id: str) -> ImageFact:
    """Describe a baked image by id. Raises NotFoundError, and NothingFoundError for one that is none of ours."""
    found = describe_image(context.aws, image_id=image_id)
    if not found:
        raise NotFoundError(
            f"image {image_id} is not there in {context.aws.region}",
            remedy="check the id and --region; `fleet amis ls` lists the images of a region",
        )
    require_baked(found[0])
    return found[0]


def find_by_id_or_recipe(context: Context, asked: str) -> ImageFact:
    """Describe a baked image by id, or the stable one of a recipe. Raises NotFoundError and NothingFoundError."""
    if asked.startswith("ami-"):
        return find_image(context, asked)
    return require_stable(read_lineage(context, asked), region=context.aws.region)


def read_lineage(context: Context, recipe: str) -> Lineage:
    """Describe a recipe's images of the region."""
    return lineage_of(recipe, describe_recipe_images(context.aws, recipe=recipe))


def put_image_tags(context: Context, image: ImageFact, values: Mapping[str, str]) -> None:
    """Put tags on an image and on its snapshots. Raises AwsError."""
    ids = (image.image_id, *image.snapshot_ids)
    context.tagging.take(context.sleep)
    once_known(context, lambda: tag_resources(context.aws, ids=ids, tags=values))


def supersede(context: Context, lineage: Lineage, stable_id: str) -> None:
    """Tag every image that is tagged stable, but the one that is, as superseded."""
    for image in lineage.images:
        if image.image_id != stable_id and image.tags.get(tags.STATUS) == tags.STABLE:
            put_image_tags(context, image, {tags.STATUS: tags.SUPERSEDED})
