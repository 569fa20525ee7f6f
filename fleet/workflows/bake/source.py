"""The raw copy of an environment's disk that `fleet bake --from` begins with.

The person's machine is not touched beyond it: a snapshot without a reboot, unless a reboot is asked for. The copy holds
all that is on that machine, so it carries the name of the builder's fleet, with which it goes.
"""

from __future__ import annotations

from fleet.aws.images import describe_image
from fleet.aws.inventory import images as fleet_images
from fleet.aws.inventory import volumes
from fleet.plan import tags
from fleet.plan.bake.plan import builder_fleet, framework_of
from fleet.plan.facts.environment import InstanceFact
from fleet.recipe.model import Builder, Recipe
from fleet.spec.model import ImageSelector, Instances
from fleet.workflows.bake.image import make_or_find, wait_until_available
from fleet.workflows.context import Context
from fleet.workflows.environment.members import choose_members
from fleet.workflows.environment.status import live_instances


def find_source(context: Context, fleet: str, member: str) -> InstanceFact:
    """Give the instance of a member's environment. Raises NothingFoundError."""
    (instance,) = choose_members(live_instances(context, fleet), (member,), fleet)
    return instance


def recipe_of(
    context: Context, source: InstanceFact, *, name: str, request: Recipe | None
) -> Recipe:
    """Give the recipe of an image of an environment: the one that was asked for, but for the image, or a plain one.

    The builder's volume is as large as the environment's at least.
    """
    image = ImageSelector(id=source.image_id)
    if request is None:
        instances = Instances(types=(source.instance_type,), market=source.market)
        request = Recipe(
            name=name,
            description=f"made of {source.fleet}/{source.holder}",
            image=image,
            builder=Builder(instances=instances),
        )
    least = _size(context, source)
    volume = request.builder.volume
    volume = volume.model_copy(update={"size_gib": max(volume.size_gib, least)})
    builder = request.builder.model_copy(update={"volume": volume})
    return request.model_copy(update={"image": image, "builder": builder})


def _size(context: Context, source: InstanceFact) -> int:
    """Give how large an environment's volume is, in GiB."""
    attached = (
        one for one in volumes(context.aws, source.fleet) if one.instance_id == source.instance_id
    )
    return max((one.size_gib for one in attached), default=0)


def find_raw_image(context: Context, recipe: str, source: InstanceFact) -> str | None:
    """Give the raw copy of an environment that a bake which broke off has left."""
    return next(
        (
            one.resource_id
            for one in fleet_images(context.aws, builder_fleet(recipe))
            if one.ours
            and one.state in {"pending", "available"}
            and one.tags.get(tags.BAKE_SOURCE) == source.instance_id
        ),
        None,
    )


def make_raw_image(context: Context, recipe: str, source: InstanceFact, *, reboot: bool) -> str:
    """Copy an environment's disk; gives the image's id once it is whole."""
    name = f"{builder_fleet(recipe)}-raw-{source.instance_id}"
    image_id = find_raw_image(context, recipe, source)
    if image_id is None:
        context.tell(None, "copy", "running", f"{source.holder} ({source.instance_id})")
        image_id = make_or_find(
            context,
            lambda: find_raw_image(context, recipe, source),
            instance_id=source.instance_id,
            name=name,
            description=f"a raw copy of {source.fleet}/{source.holder}, not to be launched from",
            tags=_tags(context, recipe, source, name),
            no_reboot=not reboot,
        )
    wait_until_available(context, image_id)
    return image_id


def _tags(context: Context, recipe: str, source: InstanceFact, name: str) -> dict[str, str]:
    base = next(iter(describe_image(context.aws, image_id=source.image_id)), None)
    framework = framework_of(base) if base else None
    base_name = (base.tags.get(tags.BASE_NAME) or base.name)[:255] if base else ""
    return {
        **tags.fleet_tags(builder_fleet(recipe)),
        "Name": name,
        tags.BAKE_SOURCE: source.instance_id,
        tags.BASE_IMAGE: source.image_id,
        tags.BASE_NAME: base_name,
        tags.LOGIN_USER: source.login_user,
        **({tags.FRAMEWORK: framework} if framework else {}),
    }
