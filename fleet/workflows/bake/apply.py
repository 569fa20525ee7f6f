"""Bakes: from a recipe to an image that has been tried. Run again after a crash it goes on, or begins cleanly anew.

What tells how far a bake is stands in tags: the builder's stage, the image's content and status.
"""

from __future__ import annotations

from pathlib import Path

from fleet.aws.images import describe_image
from fleet.aws.own_images import tag_resources
from fleet.errors import BakeError, FleetError
from fleet.plan import tags
from fleet.plan.bake.plan import BakePlan, builder_fleet
from fleet.plan.bake.report import BakeReport
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.teardown.receipt import Receipt
from fleet.workflows.bake.amis import promote
from fleet.workflows.bake.builder import end_spot_builder, image_from_builder
from fleet.workflows.bake.cleanup import clean_up, clean_up_or_tell
from fleet.workflows.bake.environment import OpenBakeEnvironment, open_bake_environment
from fleet.workflows.bake.finish import Finished, finish
from fleet.workflows.bake.image import wait_until_available
from fleet.workflows.bake.log import logged
from fleet.workflows.bake.prepare import prepare_bake
from fleet.workflows.bake.source import make_raw_image
from fleet.workflows.bake.trial import leftovers, try_image
from fleet.workflows.context import Context
from fleet.workflows.record.lease import HeldLease, hold_lease
from fleet.workflows.teardown.down import apply_down, prepare_down


def apply_bake(
    context: Context,
    plan: BakePlan,
    *,
    keep_builder: bool = False,
    opener: OpenBakeEnvironment = open_bake_environment,
) -> BakeReport:
    """Bake an image, try it, make it the recipe's stable one, and take the builder away.

    One run at a time works on a recipe. Raises BakeError where the recipe is at fault: then the builder is taken away,
    unless `keep_builder`. After any other error, and after an interrupt, what there is stays for the next run.
    """
    with logged(context, plan.recipe.name) as (logging, path):
        return _Bake(logging, plan, path, opener, keep_builder=keep_builder).run()


def apply_bake_from(
    context: Context,
    plan: BakePlan,
    source: InstanceFact,
    *,
    reboot: bool = False,
    keep_builder: bool = False,
    opener: OpenBakeEnvironment = open_bake_environment,
) -> BakeReport:
    """Bake an image that begins with a copy of an environment's disk, as `apply_bake`.

    The environment is not touched beyond its snapshot, for which it is rebooted where that is asked for.
    """
    with logged(context, plan.recipe.name) as (logging, path):
        raw = make_raw_image(logging, plan.recipe.name, source, reboot=reboot)
        copied = prepare_bake(logging, plan.recipe, plan.files, raw_image=raw, anew=plan.anew)
        return _Bake(logging, copied, path, opener, keep_builder=keep_builder).run()


class _Bake:
    def __init__(
        self,
        context: Context,
        plan: BakePlan,
        log: Path,
        opener: OpenBakeEnvironment,
        *,
        keep_builder: bool,
    ) -> None:
        self._context, self._plan, self._log, self._open = context, plan, log, opener
        self._keep_builder = keep_builder
        self._began = context.clock()
        self._receipts: list[Receipt] = []
        self._tests: tuple[str, ...] = ()

    def run(self) -> BakeReport:
        """Do all of it."""
        same = self._plan.same
        if same is not None and self._plan.bakes_nothing and not self._plan.builder.owned.anything:
            return self._report(same, finish(self._context, self._plan, same))
        self._clear_the_way()
        fleet, account_id = builder_fleet(self._plan.recipe.name), self._plan.builder.account_id
        with hold_lease(self._context, fleet, account_id=account_id, command="bake") as lease:
            # Another run may have come further while this one waited.
            self._plan = _again(self._context, self._plan)
            image = self._image_or_nothing(lease)
            finished = finish(self._context, self._plan, image)
        self._receipts.append(apply_down(self._context, prepare_down(self._context, fleet)))
        return self._report(image, finished)

    def _clear_the_way(self) -> None:
        """Take away what an earlier bake has left and this one cannot go on with."""
        if self._plan.same is None and (left := leftovers(self._context, self._plan)):
            self._receipts.append(left)
        if self._plan.stage in {"stale", "sealing"}:
            why = (
                "is of another recipe" if self._plan.stage == "stale" else "was left half sanitised"
            )
            self._context.tell(None, "builder", "note", f"the one that stands {why}: it goes first")
            clean_up(self._context, builder_fleet(self._plan.recipe.name), step="builder")

    def _image_or_nothing(self, lease: HeldLease) -> ImageFact:
        """Give the image. Where the recipe is at fault, no builder is left: it could not be made good."""
        try:
            return self._image(lease)
        except BakeError:
            if not self._keep_builder:
                fleet = builder_fleet(self._plan.recipe.name)
                clean_up_or_tell(self._context, fleet, step="builder", held=lease)
            raise

    def _image(self, lease: HeldLease) -> ImageFact:
        """Give the image, whole and tried."""
        image_id = (
            self._plan.same.image_id
            if self._plan.same
            else image_from_builder(self._context, self._plan, lease, self._open)
        )
        wait_until_available(self._context, image_id)
        end_spot_builder(self._context, self._plan)
        image = _described(self._context, image_id)
        if image.tags.get(tags.STATUS) == tags.CANDIDATE:
            self._tests, receipt = try_image(self._context, self._plan, image, self._open)
            self._receipts.append(receipt)
            self._tag_duration(image)
            promote(self._context, image_id)
            image = _described(self._context, image_id)
        return image

    def _tag_duration(self, image: ImageFact) -> None:
        """Write down how long it took, unless a part of it was done by an earlier run."""
        if self._plan.same is None and self._plan.stage == "fresh":
            seconds = {tags.BAKED_SECONDS: str(round(self._context.clock() - self._began))}
            tag_resources(self._context.aws, ids=(image.image_id,), tags=seconds)

    def _report(self, image: ImageFact, finished: Finished) -> BakeReport:
        plan = self._plan
        return BakeReport(
            recipe=plan.recipe.name,
            region=self._context.aws.region,
            outcome="unchanged" if plan.bakes_nothing else "baked",
            image_id=image.image_id,
            name=image.name,
            digest=plan.digest,
            status=image.tags.get(tags.STATUS, ""),
            base_image=image.tags.get(tags.BASE_IMAGE, ""),
            tests=self._tests,
            copies=finished.copies,
            trouble=finished.trouble,
            shared_with=plan.recipe.output.share_with,
            deprecated_at=finished.deprecated_at,
            removed=finished.removed,
            kept=finished.kept,
            seconds=None if plan.bakes_nothing else round(self._context.clock() - self._began),
            log=str(self._log),
            receipts=tuple(self._receipts),
        )


def _again(context: Context, plan: BakePlan) -> BakePlan:
    return prepare_bake(context, plan.recipe, plan.files, raw_image=plan.raw_image, anew=plan.anew)


def _described(context: Context, image_id: str) -> ImageFact:
    found = describe_image(context.aws, image_id=image_id)
    if not found:
        raise FleetError(f"image {image_id} is not there any more", remedy="run `fleet bake` again")
    return found[0]
