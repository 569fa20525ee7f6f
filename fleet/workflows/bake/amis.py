"""Baked images of one region: promoted, shared, deprecated, removed, pruned. Each may run again after a crash.

Copies to other regions are made in `ami_copies`; what there is to see of images is read in `ami_reports`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.aws.manifests import delete_manifest
from fleet.aws.own_images import (
    deprecate_image,
    describe_image_users,
    describe_recipe_images,
    describe_sharing,
    share_image,
)
from fleet.aws.snapshots import delete_snapshot, describe_recipe_snapshots
from fleet.errors import AwsError, CredentialsError, EndpointError, NotFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact, SnapshotFact
from fleet.plan.images.lineage import (
    lineage_of,
    loose_snapshots,
    plan_pruning,
    promotion_tags,
    recipe_of,
    refuse_removal,
    require_available,
    require_previous,
    require_promotable,
)
from fleet.workflows.bake.image import remove_image
from fleet.workflows.context import Context
from fleet.workflows.images.lineage import find_image, put_image_tags, read_lineage, supersede

__all__ = [
    "Promotion",
    "Pruned",
    "Removal",
    "apply_removal",
    "deprecate",
    "prepare_promotion",
    "prepare_removal",
    "prepare_rollback",
    "promote",
    "prune",
    "remove",
    "share",
]


_NOT_SHARED = (
    "EC2 shares nothing that is encrypted with EBS's own key: give the recipe a kms_key under `ami`, "
    "or share a copy made with `fleet amis copy --kms-key`"
)


@dataclass(frozen=True)
class Promotion:
    """An image that becomes, or is already, the one that its recipe's name means; `before` is the one that was."""

    recipe: str
    image: ImageFact
    before: ImageFact | None

    @property
    def done(self) -> bool:
        """Whether it is the stable one already."""
        return self.before is not None and self.before.image_id == self.image.image_id

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "recipe": self.recipe,
            "stable": self.image.image_id,
            "name": self.image.name,
            "before": self.before.image_id if self.before else None,
            "changed": not self.done,
        }


@dataclass(frozen=True)
class Removal:
    """What a removal takes away: images, and snapshots that one which was broken off has left."""

    images: tuple[ImageFact, ...]
    snapshots: tuple[SnapshotFact, ...]
    gone: tuple[str, ...]

    @property
    def image_ids(self) -> tuple[str, ...]:
        """Ids of the images."""
        return tuple(image.image_id for image in self.images)

    @property
    def snapshot_ids(self) -> tuple[str, ...]:
        """Ids of all snapshots, those of the images first."""
        of_images = (each for image in self.images for each in image.snapshot_ids)
        return (*of_images, *(one.snapshot_id for one in self.snapshots))

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape; `gone` are images that were not there any more."""
        return {
            "removed": list(self.image_ids),
            "snapshots": list(self.snapshot_ids),
            "gone": list(self.gone),
        }


@dataclass(frozen=True)
class Pruned:
    """What a pruning removed, and why others that were to go stay: by image id."""

    removed: tuple[str, ...]
    kept_because: Mapping[str, str]
    snapshots: tuple[str, ...] = ()


def prepare_promotion(context: Context, image_id: str) -> Promotion:
    """Say what a promotion would change. Raises FleetError for an image that has not passed its try-out."""
    image = find_image(context, image_id)
    lineage = read_lineage(context, recipe_of(image))
    require_promotable(image, lineage)
    return Promotion(lineage.recipe, image, lineage.stable)


def prepare_rollback(context: Context, recipe: str) -> Promotion:
    """Say what a roll-back would change: the image that was stable before is it again. Raises NothingFoundError."""
    lineage = read_lineage(context, recipe)
    return Promotion(recipe, require_previous(lineage), lineage.stable)


def promote(context: Context, image_id: str) -> Promotion:
    """Let a recipe's name mean this image from now on. The caller answers for its try-out.

    The new one is tagged first: between the two tags there are two, of which the one promoted last counts.
    """
    image = find_image(context, image_id)
    require_available(image)
    lineage = read_lineage(context, recipe_of(image))
    promotion = Promotion(lineage.recipe, image, lineage.stable)
    if not promotion.done:
        put_image_tags(context, image, promotion_tags(lineage, now=context.now()))
    supersede(context, lineage, image_id)
    before = promotion.before
    was = f", {before.image_id} before" if before and not promotion.done else ""
    context.tell(None, "promote", "done", f"{lineage.recipe} is {image_id} now{was}")
    return promotion


def share(
    context: Context, image_id: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> tuple[str, ...]:
    """Let accounts launch an image, or no longer; gives all that may afterwards."""
    image = find_image(context, image_id)
    require_available(image)
    if add or remove:
        _change_sharing(context, image, add, remove)
    accounts = describe_sharing(context.aws, image_id=image_id)
    context.tell(None, "share", "done", f"{image_id} with {', '.join(accounts) or 'nobody'}")
    return accounts


def _change_sharing(
    context: Context, image: ImageFact, add: Sequence[str], remove: Sequence[str]
) -> None:
    try:
        share_image(context.aws, image_id=image.image_id, add=add, remove=remove)
    except AwsError as error:
        if error.code != "InvalidParameter" or not image.encrypted:
            raise
        raise AwsError(
            error.message, remedy=_NOT_SHARED, code=error.code, said=error.said
        ) from error


def deprecate(context: Context, image_id: str, *, at: datetime | None) -> None:
    """Say from when on an image is old: it can be launched still, and other accounts no longer find it. None: never."""
    require_available(find_image(context, image_id))
    deprecate_image(context.aws, image_id=image_id, at=at)
    context.tell(None, "deprecate", "done", f"{image_id}: {tags.expiry_text(at)}")


def prepare_removal(context: Context, image_ids: Sequence[str], *, retire: bool = False) -> Removal:
    """Say what a removal takes away. Raises the first reason why one of the images may not go.

    With `retire` the stable image goes too, where every other image of its recipe goes along. An image that is not
    there may have gone in a removal that was broken off: its snapshots are found by their tags.
    """
    snapshots = describe_recipe_snapshots(context.aws, recipe=None)
    images = describe_recipe_images(context.aws, recipe=None)
    loose = loose_snapshots(snapshots, images)
    found: list[ImageFact] = []
    gone: list[str] = []
    for image_id in dict.fromkeys(image_ids):
        try:
            found.append(find_image(context, image_id))
        except NotFoundError:
            if not loose:
                raise
            gone.append(image_id)
    users = describe_image_users(context.aws, image_ids=[image.image_id for image in found])
    for image in found:
        lineage = lineage_of(recipe_of(image), images)
        whole = {one.image_id for one in lineage.images} <= {*image_ids}
        if refusal := refuse_removal(image, lineage, users, retired=retire and whole):
            raise refusal
    return Removal(tuple(found), loose, tuple(gone))


def apply_removal(context: Context, removal: Removal) -> None:
    """Remove what was shown. Raises AwsError at the first that AWS refuses; run again it goes on."""
    for image in removal.images:
        remove(context, image)
    for one in removal.snapshots:
        delete_snapshot(context.aws, snapshot_id=one.snapshot_id)
        context.tell(None, "remove", "done", f"{one.snapshot_id}, which no image needs")


def remove(context: Context, image: ImageFact) -> None:
    """Remove an image with its manifest and its snapshots, whoever uses it. Raises AwsError.

    The image goes before its snapshots, as EC2 wants it; what a crash leaves of them is found by their tags.
    """
    context.tell(None, "remove", "running", image.image_id)
    delete_manifest(context.aws, image_id=image.image_id)
    remove_image(context, image.image_id, image.snapshot_ids)
    context.tell(None, "remove", "done", image.name)


def prune(context: Context, recipe: str, keep: int) -> Pruned:
    """Remove a recipe's older images beyond `keep`, and what a removal that was broken off has left of it.

    What AWS refuses stays, with its reason. Raises only where AWS cannot be asked at all.
    """
    snapshots = describe_recipe_snapshots(
        context.aws, recipe=recipe
    )  # before the images: see below
    images = describe_recipe_images(context.aws, recipe=recipe)
    # An image that was begun between the two calls has its snapshots in neither.
    loose = loose_snapshots(snapshots, images)
    users = describe_image_users(context.aws, image_ids=[image.image_id for image in images])
    pruning = plan_pruning(lineage_of(recipe, images), users, keep=keep)
    kept = dict(pruning.kept)
    removed = [one.image_id for one in pruning.remove if _removed(context, one, kept)]
    deleted = [one.snapshot_id for one in loose if _deleted(context, one.snapshot_id)]
    for image_id, reason in kept.items():
        context.tell(None, "prune", "note", f"{image_id} stays: {reason}")
    return Pruned(tuple(removed), kept, tuple(deleted))


def _removed(context: Context, image: ImageFact, kept: dict[str, str]) -> bool:
    try:
        remove(context, image)
    except (CredentialsError, EndpointError):
        raise
    except AwsError as error:
        kept[image.image_id] = error.message
        return False
    return True


def _deleted(context: Context, snapshot_id: str) -> bool:
    try:
        delete_snapshot(context.aws, snapshot_id=snapshot_id)
    except (CredentialsError, EndpointError):
        raise
    except AwsError as error:
        context.tell(None, "prune", "failed", f"{snapshot_id}: {error.message}")
        return False
    context.tell(None, "prune", "done", f"{snapshot_id}, which no image needs")
    return True
