"""Describes images: the candidates for a selector, and the Deep Learning AMIs of a region. Changes nothing."""

from __future__ import annotations

from fleet.assets.shipped import load_catalogue
from fleet.aws.clients import Aws
from fleet.aws.images import describe_image, describe_own_images, describe_published_images
from fleet.aws.instance_types import describe_instance_types
from fleet.errors import NotFoundError
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import search_patterns
from fleet.plan.images.listing import NAME_PATTERNS, ImageQuery, ListedImage, list_matching
from fleet.plan.images.named import name_patterns
from fleet.side_by_side import side_by_side
from fleet.spec.model import ImageSelector
from fleet.workflows.context import Context


def list_images(context: Context, query: ImageQuery) -> tuple[ListedImage, ...]:
    """List what AWS publishes and the query asks for: one call, and one more where a type is named."""
    aws, catalogue, wanted = context.aws, load_catalogue(), query.instance_type
    with side_by_side(2) as reads:
        images = reads.ask(
            describe_published_images,
            aws,
            owner=catalogue.owner,
            names=NAME_PATTERNS,
            include_deprecated=query.include_deprecated,
        )
        types = reads.ask(describe_instance_types, aws, names=(wanted,)) if wanted else None
        fact = types().get(wanted or "") if types else None
        if types is not None and fact is None:
            raise NotFoundError(
                f"instance type {wanted} does not exist in {aws.region}",
                remedy="correct --for, or choose another region",
            )
        return list_matching(images(), query, catalogue, instance_type=fact, now=context.now())


def describe_candidates(aws: Aws, selector: ImageSelector) -> tuple[ImageFact, ...]:
    """Describe, in one call, the images that a selector is decided among, of both architectures."""
    if selector.id is not None:
        return describe_image(aws, image_id=selector.id)
    if selector.name is not None:
        return describe_own_images(aws, names=name_patterns(selector.name))
    catalogue = load_catalogue()
    names = search_patterns(selector, catalogue)
    return describe_published_images(aws, owner=catalogue.owner, names=names)
