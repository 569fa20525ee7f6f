"""What follows a bake: copies, accounts, deprecation, old images that go. Done once, however often it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleet.plan.bake.plan import BakePlan
from fleet.plan.facts.images import ImageFact
from fleet.workflows.bake.ami_copies import Copied, copy_each
from fleet.workflows.bake.amis import deprecate, prune, share
from fleet.workflows.context import Context
from fleet.workflows.images.lineage import in_region


@dataclass(frozen=True)
class Finished:
    """What was done. `copies` are image ids by region, and `trouble` why there is none in a region.

    `kept` says why older images were not removed.
    """

    copies: Mapping[str, str] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)
    deprecated_at: datetime | None = None
    removed: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


def finish(context: Context, plan: BakePlan, image: ImageFact) -> Finished:
    """Do for an image that is stable what the recipe says under `ami`, in its region and in those of its copies."""
    output = plan.recipe.output
    copied = _copied(context, plan, image)
    copies = {one.region: one.image_id for one in copied if not one.trouble}
    after = output.deprecate_after
    deprecated_at = image.created_at + after if after else None
    removed: list[str] = []
    kept: dict[str, str] = {}
    for region, image_id in {context.aws.region: image.image_id, **copies}.items():
        there = in_region(context, region)
        if output.share_with:
            share(there, image_id, add=output.share_with)
        if (
            deprecated_at is not None and deprecated_at > context.now()
        ):  # EC2 takes no time that is past
            deprecate(there, image_id, at=deprecated_at)
        if output.keep is not None:
            pruned = prune(there, plan.recipe.name, output.keep)
            removed.extend(pruned.removed)
            kept.update(pruned.kept_because)
    trouble = {one.region: one.trouble for one in copied if one.trouble}
    return Finished(copies, trouble, deprecated_at, tuple(removed), kept)


def _copied(context: Context, plan: BakePlan, image: ImageFact) -> tuple[Copied, ...]:
    output = plan.recipe.output
    if not output.copy_to:
        return ()
    return copy_each(
        context, image, output.copy_to, encrypted=image.encrypted, kms_key=plan.recipe.kms_key
    )
