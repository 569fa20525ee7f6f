"""Tries a new image: an instance is launched from it, becomes an environment, and passes the recipe's tests again.

What is on the image is read there too, and kept with it.
"""

from __future__ import annotations

from pathlib import Path

from fleet.aws.manifests import write_manifest
from fleet.errors import BakeError, FleetError
from fleet.plan import tags
from fleet.plan.bake.manifest import manifest_text, pack
from fleet.plan.bake.plan import BakePlan, trial_fleet, trial_spec
from fleet.plan.facts.images import ImageFact
from fleet.plan.launch.plan import Plan
from fleet.plan.teardown.receipt import Receipt
from fleet.workflows.bake.builder import require_passed
from fleet.workflows.bake.cleanup import clean_up, clean_up_or_tell
from fleet.workflows.bake.environment import BakeEnvironment, OpenBakeEnvironment
from fleet.workflows.context import Context
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.teardown.down import apply_down, prepare_down

_STEP = "try-out"


def try_image(
    context: Context, plan: BakePlan, image: ImageFact, open_bake_environment: OpenBakeEnvironment
) -> tuple[tuple[str, ...], Receipt]:
    """Launch from the image, test, keep its manifest, and take the instance away; gives the tests that passed.

    Raises BakeError where the image does not pass: it stays a candidate. The instance is taken away either way.
    """
    context.tell(None, _STEP, "running", image.image_id)
    trial = _plan(context, plan, image)
    try:
        with open_bake_environment(context, trial) as environment:
            passed = _test(context, environment, plan, image)
    except FleetError as error:
        clean_up_or_tell(context, trial.fleet, step=_STEP)
        raise _not_passed(image, error) from error
    receipt = clean_up(context, trial.fleet, step=_STEP)
    count = f"{len(passed)} test{'' if len(passed) == 1 else 's'} passed"
    context.tell(None, _STEP, "done", f"it became an environment, {count}")
    return passed, receipt


def _plan(context: Context, plan: BakePlan, image: ImageFact) -> Plan:
    """Plan the instance. One that stands of another image was left by a bake that broke off: it goes first."""
    spec = trial_spec(plan.recipe, image.image_id)
    trial = prepare_up(context, spec, folder=Path())
    if any(one.live and one.image_id != image.image_id for one in trial.owned.instances):
        clean_up(context, trial.fleet, step=_STEP)
        trial = prepare_up(context, spec, folder=Path())
    return trial


def _test(
    context: Context, environment: BakeEnvironment, plan: BakePlan, image: ImageFact
) -> tuple[str, ...]:
    until = context.clock() + context.deadlines.bake
    passed = require_passed(environment.run_tests(plan, until=until))
    owned = {key: image.tags[key] for key in (tags.MANAGED_BY, tags.RECIPE) if key in image.tags}
    parts = pack(manifest_text(environment.collect_manifest(until=until)))
    write_manifest(context.aws, image_id=image.image_id, parts=parts, tags=owned)
    return passed


def _not_passed(image: ImageFact, error: FleetError) -> BakeError:
    log = error.log if isinstance(error, BakeError) else ()
    return BakeError(
        f"{image.image_id} did not pass its try-out: {error.message}",
        remedy="it stays a candidate, which no name leads to: `fleet bake` again tries it once more, "
        f"`fleet amis rm {image.image_id}` removes it",
        log=log,
    )


def leftovers(context: Context, plan: BakePlan) -> Receipt | None:
    """Take away what a try-out that broke off has left; None where there is nothing."""
    teardown = prepare_down(context, trial_fleet(plan.recipe.name))
    if not teardown.release:
        return None
    return apply_down(context, teardown)
