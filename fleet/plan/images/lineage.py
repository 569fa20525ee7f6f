"""A recipe's images in one region: which one its name means, which may be promoted, and which may be removed. Pure.

Of the images that are tagged stable the one that was promoted last is *the* stable one: a promotion that was broken
off between its two tags leaves two, and harms nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fleet.errors import FleetError, InUseError, NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact, SnapshotFact

Users = Mapping[str, tuple[str, ...]]
"""Who uses an image, by its id: instances with their fleet and member, launch templates."""

_AVAILABLE = "available"
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Lineage:
    """A recipe's images, the newest first."""

    recipe: str
    images: tuple[ImageFact, ...]

    @property
    def stable(self) -> ImageFact | None:
        """The image that the recipe's name means; None where none has passed its try-out."""
        found = [each for each in self.images if each.state == _AVAILABLE and _tagged_stable(each)]
        return max(found, key=_promoted, default=None)

    @property
    def previous(self) -> ImageFact | None:
        """The image that was stable before the one that is."""
        stable = self.stable
        found = [each for each in self.images if self.status(each) == tags.SUPERSEDED]
        return max(found, key=_promoted, default=None) if stable else None

    @property
    def also_stable(self) -> tuple[ImageFact, ...]:
        """Images that are tagged stable still although another one was promoted since."""
        stable = self.stable
        return tuple(e for e in self.images if stable and e is not stable and _tagged_stable(e))

    @property
    def pending(self) -> bool:
        """Whether EC2 still makes one of them."""
        return any(image.state == "pending" for image in self.images)

    def status(self, image: ImageFact) -> str:
        """Say what an image is: stable, superseded, candidate; or EC2's state where it cannot be launched."""
        if image.state != _AVAILABLE:
            return image.state
        if not _tagged_stable(image):
            return image.tags.get(tags.STATUS) or tags.CANDIDATE
        return tags.STABLE if image == self.stable else tags.SUPERSEDED


@dataclass(frozen=True)
class Pruning:
    """What a pruning removes, and why others stay although they are beyond what is kept: by image id."""

    remove: tuple[ImageFact, ...]
    kept: Mapping[str, str]


def is_ours(image: ImageFact) -> bool:
    """Whether an image is of our making, baked or a raw copy that a bake began with: what its tags tell is believed."""
    return image.tags.get(tags.MANAGED_BY) == tags.MAKER


def is_baked(image: ImageFact) -> bool:
    """Whether an image was made by a bake of ours; a recipe's name alone can be anybody's tag."""
    return is_ours(image) and bool(image.tags.get(tags.RECIPE))


def recipe_of(image: ImageFact) -> str:
    """Give the recipe that an image was baked from; empty where it was not baked."""
    return image.tags.get(tags.RECIPE, "") if is_baked(image) else ""


def is_copy(one: ImageFact, image: ImageFact) -> bool:
    """Whether an image of another region is a copy of this one: it has its name and its content."""
    content = one.tags.get(tags.RECIPE_DIGEST)
    return one.name == image.name and content == image.tags.get(tags.RECIPE_DIGEST)


def lineage_of(recipe: str, images: Iterable[ImageFact]) -> Lineage:
    """Give a recipe's images among others."""
    found = (image for image in images if recipe_of(image) == recipe)
    return Lineage(recipe, tuple(sorted(found, key=_made, reverse=True)))


def lineages(images: Sequence[ImageFact]) -> tuple[Lineage, ...]:
    """Sort images by their recipes, by name."""
    names = sorted({recipe_of(image) for image in images} - {""})
    return tuple(lineage_of(name, images) for name in names)


def require_baked(image: ImageFact) -> None:
    """Raise NothingFoundError for an image that no bake of ours has made."""
    if not is_baked(image):
        raise NothingFoundError(
            f"{image.image_id} was not made by `fleet bake`",
            remedy="`fleet amis ls` lists those that were",
        )


def require_available(image: ImageFact) -> None:
    """Raise FleetError for an image that EC2 still makes, or that has failed."""
    if image.state == "pending":
        raise FleetError(
            f"{image.image_id} is still pending",
            remedy="try again once `fleet amis ls` no longer says so",
        )
    if image.state != _AVAILABLE:
        reason = f" ({image.state_reason})" if image.state_reason else ""
        raise FleetError(
            f"{image.image_id} is {image.state}{reason}",
            remedy=f"`fleet bake` makes another one, `fleet amis rm {image.image_id}` removes it",
        )


def require_promotable(image: ImageFact, lineage: Lineage) -> None:
    """Raise FleetError for an image that has not passed its try-out."""
    require_available(image)
    if lineage.status(image) == tags.CANDIDATE:
        raise FleetError(
            f"{image.image_id} is a candidate: its try-out was not passed",
            remedy="`fleet bake` with its recipe again tries it, and promotes it",
        )


def require_previous(lineage: Lineage) -> ImageFact:
    """Give the image that a roll-back goes to. Raises NothingFoundError where there is none."""
    if lineage.previous is None:
        raise NothingFoundError(
            f"recipe {lineage.recipe} has no image that was stable before",
            remedy=f"`fleet amis ls {lineage.recipe}` lists what there is",
        )
    return lineage.previous


def require_stable(lineage: Lineage, *, region: str) -> ImageFact:
    """Give the image that a recipe's name means. Raises NothingFoundError where there is none."""
    if lineage.stable is not None:
        return lineage.stable
    if not lineage.images:
        raise NothingFoundError(
            f"there is no image of a recipe {lineage.recipe} in {region}",
            remedy="`fleet amis ls` lists the recipes that have some; write an image's id, or --region",
        )
    raise NothingFoundError(
        f"no image of recipe {lineage.recipe} in {region} is stable",
        remedy=f"`fleet bake` makes one; `fleet amis ls {lineage.recipe}` lists the others, by id",
    )


def promotion_tags(lineage: Lineage, *, now: datetime) -> dict[str, str]:
    """Give the tags that make an image the stable one: promoted later than all others, whatever the clock says."""
    latest = max((_promoted(each)[0] for each in lineage.images), default=_NEVER)
    at = now if latest == _NEVER else max(now, latest + timedelta(seconds=1))
    return {tags.STATUS: tags.STABLE, tags.PROMOTED_AT: tags.expiry_text(at)}


def refuse_removal(
    image: ImageFact, lineage: Lineage, users: Users, *, retired: bool = False
) -> FleetError | None:
    """Say why an image may not be removed, and by whom; None where it may.

    `retired`: the recipe's images go all together, the stable one too, and its name is to mean none.
    """
    if image == lineage.stable and not retired:
        return FleetError(
            f"{image.image_id} is the stable image of recipe {lineage.recipe}",
            remedy=f"promote another one first (`fleet amis ls {lineage.recipe}` lists them), or "
            "name all of them with --retire",
        )
    if used := users.get(image.image_id):
        return InUseError(
            f"{image.image_id} is used by {', '.join(used)}",
            remedy="take that away first (`fleet down`), or leave the image",
        )
    if image.state == "pending":
        return FleetError(
            f"{image.image_id} is still pending",
            remedy="try again once `fleet amis ls` no longer says so",
        )
    return None


def plan_pruning(lineage: Lineage, users: Users, *, keep: int) -> Pruning:
    """Choose what goes: all but the newest `keep` of those that were ever stable, and candidates that were passed over.

    The stable one counts among those that are kept, and stays even where it is older. What has failed goes too.
    """
    stable = lineage.stable
    others = [image for image in lineage.images if lineage.status(image) == tags.SUPERSEDED]
    beyond = others[max(keep - (stable is not None), 0) :]
    beyond += [image for image in lineage.images if _passed_over(image, lineage)]
    refused = {image.image_id: refuse_removal(image, lineage, users) for image in beyond}
    return Pruning(
        remove=tuple(image for image in beyond if refused[image.image_id] is None),
        kept={image_id: error.message for image_id, error in refused.items() if error},
    )


def loose_snapshots(
    snapshots: Iterable[SnapshotFact], images: Sequence[ImageFact]
) -> tuple[SnapshotFact, ...]:
    """Give the snapshots of bakes that no image needs: what is left of a removal that was broken off.

    Those of a recipe of which EC2 still makes an image are left out: an image names its snapshots late.
    """
    needed = {snapshot_id for image in images for snapshot_id in image.snapshot_ids}
    unsettled = {lineage.recipe for lineage in lineages(images) if lineage.pending}
    return tuple(
        one
        for one in snapshots
        if one.snapshot_id not in needed and one.state != "pending" and one.recipe not in unsettled
    )


def _passed_over(image: ImageFact, lineage: Lineage) -> bool:
    """Whether an image never was stable and will not be: it has failed, or a younger one is stable."""
    stable, status = lineage.stable, lineage.status(image)
    if status == "failed":
        return True
    older = stable is not None and image.created_at < stable.created_at
    return older and status in {tags.CANDIDATE, "pending"}


def _tagged_stable(image: ImageFact) -> bool:
    return image.tags.get(tags.STATUS) == tags.STABLE


def _promoted(image: ImageFact) -> tuple[datetime, datetime]:
    return tags.parse_expiry(image.tags.get(tags.PROMOTED_AT)) or _NEVER, image.created_at


def _made(image: ImageFact) -> tuple[datetime, str]:
    return image.created_at, image.image_id
