"""Takes a builder from its launch to an image that is on its way: steps, tests, scan, sanitising, CreateImage.

Each stage is written in a tag of the builder before it begins. A builder that may be half sanitised is thrown away:
nobody can look at it any more, and what cannot be looked at is in no image.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.aws.images import describe_image
from fleet.aws.instances import describe_instances, stop_instances, terminate_instances
from fleet.aws.own_images import describe_recipe_images
from fleet.errors import BakeError, FleetError
from fleet.plan import tags
from fleet.plan.bake.plan import (
    BUILDER,
    BakePlan,
    Stage,
    builder_fleet,
    image_name,
    image_tags,
    objections,
    stage_of,
    stage_tag,
)
from fleet.plan.facts.environment import InstanceFact, youngest
from fleet.plan.facts.images import ImageFact
from fleet.workflows.bake.environment import BakeEnvironment, OpenBakeEnvironment, one_live
from fleet.workflows.bake.host import Finding, TestResult
from fleet.workflows.bake.image import make_or_find
from fleet.workflows.context import Context
from fleet.workflows.record.lease import HeldLease
from fleet.workflows.record.tagging import put_tags
from fleet.workflows.retrying import send_again_if_lost

_POLL_SECONDS = 1.0
_MOST_FINDINGS = 10


def image_from_builder(
    context: Context, plan: BakePlan, lease: HeldLease, open_bake_environment: OpenBakeEnvironment
) -> str:
    """Build, test, sanitise and begin the image; gives its id. Goes on where another run has stopped."""
    fleet = builder_fleet(plan.recipe.name)
    stage = stage_of(youngest(describe_instances(context.aws, fleet=fleet)), plan.digest)
    if stage in {"stale", "sealing"}:
        raise FleetError(
            f"the builder of {fleet} that stands cannot be gone on with, and did not go",
            remedy=f"run `fleet down {fleet}`, then `fleet bake` again",
        )
    if stage == "sealed":
        context.tell(None, "builder", "note", "sanitised already: its image is made")
    else:
        with open_bake_environment(context, plan.builder, held=lease) as environment:
            _seal(context, plan, environment)
    builder = one_live(context, fleet)
    lease.renew()  # whoever has taken over by now makes the next step
    _stop(context, builder)
    return _create(context, plan, builder)


def _seal(context: Context, plan: BakePlan, environment: BakeEnvironment) -> None:
    until = context.clock() + context.deadlines.bake
    _mark(context, environment, plan, "steps")
    environment.take_steps(plan, until=until)
    require_passed(environment.run_tests(plan, until=until))
    if (
        plan.raw_image is None
    ):  # what people leave in their own histories is no step's doing, and goes
        _require_clean(context, plan, environment.scan(sanitised=False, until=until))
    _mark(context, environment, plan, "sealing")
    environment.sanitise(until=until)
    _require_clean(context, plan, environment.scan(sanitised=True, until=until))
    _mark(context, environment, plan, "sealed")


def require_passed(results: Sequence[TestResult]) -> tuple[str, ...]:
    """Give the titles of the tests. Raises BakeError, with the last lines of the first one that failed."""
    failed = [result for result in results if not result.passed]
    if failed:
        raise BakeError(
            f"{len(failed)} of {len(results)} tests failed: {failed[0].title}",
            remedy="correct the recipe",
            log=failed[0].log,
        )
    return tuple(result.title for result in results)


def _require_clean(context: Context, plan: BakePlan, found: Sequence[Finding]) -> None:
    findings = objections(plan.recipe, found)
    if allowed := len(found) - len(findings):
        context.tell(BUILDER, "scan", "note", f"{allowed} of them allowed by the recipe")
    if not findings:
        return
    shown = tuple(f"{one.path}:{one.line}: {one.what}" for one in findings[:_MOST_FINDINGS])
    if len(findings) > len(shown):
        shown = (*shown, f"and {len(findings) - len(shown)} more")
    raise BakeError(
        f"there are secrets on the builder ({len(findings)}): {shown[0]}",
        remedy="take out the step that leaves it there, or name the file under scan: allow: if it is no secret; "
        "no image was made",
        log=shown,
    )


def _mark(context: Context, environment: BakeEnvironment, plan: BakePlan, stage: Stage) -> None:
    put_tags(context, environment.instance, stage_tag(plan.digest, stage))


def _stop(context: Context, builder: InstanceFact) -> None:
    """Stop the builder, so that its disk is at rest. EC2 cannot stop a Spot Instance: CreateImage reboots that one."""
    if builder.market == "spot":
        return
    context.tell(None, "builder", "running", "stopping")
    ids = (builder.instance_id,)
    if builder.state == "running":
        send_again_if_lost(context, lambda: stop_instances(context.aws, instance_ids=ids))
    deadline = context.clock() + context.deadlines.running
    while builder.state != "stopped":
        if context.clock() >= deadline:
            raise FleetError(
                f"the builder {builder.instance_id} is still {builder.state}",
                remedy="run `fleet bake` again, which goes on from here",
            )
        context.sleep(_POLL_SECONDS)
        builder = one_live(context, builder.fleet)
    context.tell(None, "builder", "done", "stopped")


def _create(context: Context, plan: BakePlan, builder: InstanceFact) -> str:
    recipe = plan.recipe
    name = image_name(recipe, plan.digest, begun_at=builder.launched_at)
    base = _base_of(context, plan)
    system = f" on {base.name}" if base else ""
    said = recipe.description or f"{recipe.name}{system}"

    def ours() -> str | None:
        found = describe_recipe_images(context.aws, recipe=recipe.name)
        return next((image.image_id for image in found if image.name == name), None)

    return make_or_find(
        context,
        ours,
        instance_id=builder.instance_id,
        name=name,
        description=said[:255],
        tags=image_tags(plan, name=name, base=base),
    )


def _base_of(context: Context, plan: BakePlan) -> ImageFact | None:
    """Give what the image stands on: where the builder began with a raw copy of an environment, that one's image."""
    raw = next(iter(describe_image(context.aws, image_id=plan.base.image_id)), None)
    if raw is None or tags.BAKE_SOURCE not in raw.tags:
        return raw
    return next(iter(describe_image(context.aws, image_id=raw.tags[tags.BASE_IMAGE])), raw)


def end_spot_builder(context: Context, plan: BakePlan) -> None:
    """Terminate a builder of Spot as soon as its image is whole: one that cannot be stopped goes on costing."""
    fleet = builder_fleet(plan.recipe.name)
    live = [one for one in describe_instances(context.aws, fleet=fleet) if one.live]
    ids = [one.instance_id for one in live if one.market == "spot"]
    if ids:
        terminate_instances(context.aws, instance_ids=ids)
