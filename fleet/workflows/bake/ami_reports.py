"""Reads what there is to see of baked images: lists them, shows one, compares two. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from fleet.aws.manifests import read_manifest
from fleet.aws.own_images import (
    describe_image_users,
    describe_recipe_images,
    describe_sharing,
)
from fleet.aws.regions import describe_regions
from fleet.aws.snapshots import describe_recipe_snapshots
from fleet.errors import AwsError, NothingFoundError
from fleet.plan.bake.ami_list import (
    AmiDiff,
    ImageCopy,
    ListedAmi,
    ListedAmis,
    ShownAmi,
    describe_listed,
)
from fleet.plan.bake.manifest import Manifest, diff, parse_manifest, unpack
from fleet.plan.facts.images import ImageFact, SnapshotFact
from fleet.plan.hardware.prices import known_prices
from fleet.plan.images.lineage import is_copy, lineage_of, loose_snapshots, recipe_of
from fleet.side_by_side import each_side_by_side, side_by_side
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.images.lineage import find_by_id_or_recipe, in_region

_AT_ONCE = 8


def list_amis(context: Context, recipe: str | None) -> ListedAmis:
    """List the region's baked images, of a recipe or of all."""
    snapshots = describe_recipe_snapshots(context.aws, recipe=recipe)
    images = describe_recipe_images(context.aws, recipe=recipe)
    listed = _listed(context, images, among=images, snapshots=snapshots)
    return ListedAmis(context.aws.region, listed, loose_snapshots(snapshots, images))


def show_ami(context: Context, request: str, *, all_regions: bool = False) -> ShownAmi:
    """Show an image by id, or the stable one of a recipe. Raises NotFoundError and NothingFoundError."""
    image = find_by_id_or_recipe(context, request)
    recipe = recipe_of(image)
    (listed,) = _listed(
        context,
        (image,),
        among=describe_recipe_images(context.aws, recipe=recipe),
        snapshots=describe_recipe_snapshots(context.aws, recipe=recipe),
    )
    manifest = _manifest(context, image)
    if not all_regions:
        return ShownAmi(listed, manifest)
    copies, unread = _copies(context, image)
    return ShownAmi(listed, manifest, copies, unread)


def diff_amis(context: Context, before: str, after: str) -> AmiDiff:
    """Compare two images, each by id or the stable one of a recipe. Raises NothingFoundError without a manifest."""
    images = (find_by_id_or_recipe(context, before), find_by_id_or_recipe(context, after))
    old, new = (_needed(context, image) for image in images)
    return AmiDiff(*images, diff(old, new))


def _listed(
    context: Context,
    images: Sequence[ImageFact],
    *,
    among: Sequence[ImageFact],
    snapshots: Sequence[SnapshotFact],
) -> tuple[ListedAmi, ...]:
    if not images:
        return ()
    aws = context.aws
    ids = [image.image_id for image in images]
    with side_by_side(_AT_ONCE) as reads:
        users = reads.ask(describe_image_users, aws, image_ids=ids)
        shared = {
            image.image_id: reads.ask(describe_sharing, aws, image_id=image.image_id)
            for image in images
            if image.state == "available"
        }
        figures, trouble = read_figures(context, types=(), rates=True)
        return describe_listed(
            images,
            among=among,
            snapshots=snapshots,
            users=users(),
            sharing={image_id: each() for image_id, each in shared.items()},
            snapshot_usd=known_prices(figures, {}, trouble=trouble).rates.get("snapshot"),
            now=context.now(),
        )


def _manifest(context: Context, image: ImageFact) -> Manifest | None:
    parts = read_manifest(context.aws, image_id=image.image_id)
    return parse_manifest(unpack(parts)) if parts else None


def _needed(context: Context, image: ImageFact) -> Manifest:
    manifest = _manifest(context, image)
    if manifest is None:
        raise NothingFoundError(
            f"no list of packages is kept with {image.image_id}",
            remedy="a bake writes it once the image has passed its try-out: compare another image",
        )
    return manifest


def _copies(context: Context, image: ImageFact) -> tuple[tuple[ImageCopy, ...], tuple[str, ...]]:
    """Look for copies in all other regions; what could not be looked at is told, and the rest shown."""
    regions = [name for name in describe_regions(context.aws) if name != context.aws.region]
    places = [in_region(context, region) for region in regions]
    looks = each_side_by_side(partial(_copies_in, image=image), places, at_once=_AT_ONCE)
    found = tuple(copy for copies, _ in looks for copy in copies)
    return found, tuple(why for _, why in looks if why)


def _copies_in(place: Context, *, image: ImageFact) -> tuple[tuple[ImageCopy, ...], str]:
    region = place.aws.region
    try:
        images = describe_recipe_images(place.aws, recipe=recipe_of(image))
    except AwsError as error:
        return (), f"{region}: {error}"
    lineage = lineage_of(recipe_of(image), images)
    found = (one for one in lineage.images if is_copy(one, image))
    return tuple(ImageCopy(region, one.image_id, lineage.status(one)) for one in found), ""
