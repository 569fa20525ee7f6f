"""`fleet bake`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.interrupts import interruptible
from fleet.cli.launch.partial_view import Offers, echo_partial_fleet
from fleet.cli.options import confirm, output_option, parse_flag, yes_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY, FleetError, HostError, UsageError

if TYPE_CHECKING:
    from fleet.plan.bake.plan import BakePlan
    from fleet.plan.bake.report import BakeReport
    from fleet.plan.facts.environment import InstanceFact
    from fleet.recipe.files import RecipeFiles
    from fleet.recipe.model import Recipe
    from fleet.workflows.context import Context


@click.command("bake", short_help="Make an image from a recipe, tested and tried.")
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option(
    "--from",
    "source",
    metavar="FLEET/MEMBER",
    help="Begin with this environment's disk, not with `image:`.",
)
@click.option("--name", metavar="NAME", help="The image's recipe name, with --from and no RECIPE.")
@click.option(
    "--reboot",
    is_flag=True,
    help="With --from: reboot the environment for its copy, so that its disk is at rest.",
)
@click.option("--anew", is_flag=True, help="Bake also where an image of the same content is there.")
@click.option(
    "--keep-builder",
    is_flag=True,
    help="Leave the builder where a step or a test fails, to look at it.",
)
@click.option("--region", metavar="REGION", help="Bake there; the same as before the command.")
@click.option("--dry-run", is_flag=True, help="Show the plan, change nothing.")
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    recipe: Path | None,
    source: str | None,
    name: str | None,
    reboot: bool,
    anew: bool,
    keep_builder: bool,
    region: str | None,
    dry_run: bool,
    yes: bool,
    output: str,
) -> int:
    """Bake the image that RECIPE describes: launch a builder, take the steps, run the tests, sanitise, make the image,
    try it on an instance of its own, and make it the one that `image: {name: ...}` leads to.

    Run it again at any time: what broke off goes on, and a recipe whose image is there already bakes nothing.

    \b
    Examples:
      fleet bake amis/pytorch-team.yaml
      fleet bake amis/pytorch-team.yaml --dry-run
      fleet bake amis/pytorch-team.yaml --yes -o json
      fleet bake --from workshop/ana --name anas-setup
    """
    from fleet.cli.bake.bake_view import echo_bake_plan

    if reboot and source is None:
        remedy = "add --from FLEET/MEMBER, or leave it out: the builder is stopped anyway"
        raise UsageError("--reboot is for the copy of an environment", remedy=remedy)
    options = dataclasses.replace(options, region=region or options.region)
    wanted = _read(recipe, source, name)
    context = open_context(options, spec_region=wanted.region)
    wish = _plan(context, wanted, anew=anew)
    if dry_run:
        if output == "json":
            echo_json(wish.plan.as_json())
        else:
            echo_bake_plan(wish.plan, err=False)
        return EXIT_DONE
    echo_bake_plan(wish.plan, err=True)
    if wish.plan.bakes_nothing:
        why = "an image of this very content is there (--anew makes another one)"
        click.echo(f"  nothing to bake: {why}", err=True)
    else:
        confirm("Bake this?", yes=yes, options=options)
    again = f"`{options.command} bake {_words(recipe, source, name)}`"
    report = _apply(context, wish, options, again=again, reboot=reboot, keep_builder=keep_builder)
    return _show(report, options, output)


@dataclasses.dataclass(frozen=True)
class _Wanted:
    """What the command line asks for: a recipe, an environment to begin with, or both."""

    recipe: Recipe | None
    files: RecipeFiles
    name: str
    environment: tuple[str, str] | None

    @property
    def region(self) -> str | None:
        return self.recipe.region if self.recipe else None


@dataclasses.dataclass(frozen=True)
class _Wish:
    """What is going to be baked, and from whose disk, if not from an image."""

    plan: BakePlan
    source: InstanceFact | None


def _read(recipe: Path | None, source: str | None, name: str | None) -> _Wanted:
    from fleet.assets.recipe_files import read_recipe, read_recipe_files
    from fleet.recipe.files import RecipeFiles
    from fleet.recipe.rules import recipe_name

    if recipe is None and source is None:
        remedy = "name a RECIPE, or --from FLEET/MEMBER with --name"
        raise UsageError("there is nothing to bake from", remedy=remedy)
    if name is not None and recipe is not None:
        raise UsageError("--name stands beside a RECIPE, which has one", remedy="keep one of them")
    environment = _environment(source) if source else None
    if recipe is not None:
        read = read_recipe(recipe)
        return _Wanted(read, read_recipe_files(recipe.parent, read), read.name, environment)
    if name is None:
        raise UsageError("the image has no name", remedy="add --name, for instance --name my-setup")
    parse_flag("--name", name, recipe_name)
    return _Wanted(None, RecipeFiles(b"", ""), name, environment)


def _environment(source: str) -> tuple[str, str]:
    fleet, slash, member = source.partition("/")
    if not (fleet and slash and member):
        raise UsageError(f"--from {source} names no environment", remedy="write it FLEET/MEMBER")
    return fleet, member


def _plan(context: Context, wanted: _Wanted, *, anew: bool) -> _Wish:
    from fleet.cli.progress import working
    from fleet.workflows.bake.prepare import prepare_bake
    from fleet.workflows.bake.source import find_raw_image, find_source, recipe_of

    with working("looking at images, prices and what there is"):
        if wanted.environment is None:
            assert wanted.recipe is not None  # noqa: S101 - for the type checker
            return _Wish(prepare_bake(context, wanted.recipe, wanted.files, anew=anew), None)
        source = find_source(context, *wanted.environment)
        recipe = recipe_of(context, source, name=wanted.name, request=wanted.recipe)
        raw = find_raw_image(context, wanted.name, source)
        # Until its disk is copied it is planned with the environment's own image, of which nothing counts as the same.
        plan = prepare_bake(context, recipe, wanted.files, raw_image=raw, anew=anew or raw is None)
        return _Wish(plan, source)


def _apply(
    context: Context,
    wish: _Wish,
    options: Globals,
    *,
    again: str,
    reboot: bool,
    keep_builder: bool,
) -> BakeReport:
    """Bake; whatever goes wrong, say what exists by then and what it costs."""
    from fleet.cli.progress import progress
    from fleet.plan.bake.plan import builder_fleet
    from fleet.workflows.bake.apply import apply_bake, apply_bake_from

    fleet = builder_fleet(wish.plan.recipe.name)
    offers = Offers(again=again, down=f"`{options.command} down {fleet}`", handout="")
    left = (
        f"left at once; a builder may run or come yet: {again} goes on, {offers.down} takes it away"
    )
    with interruptible(left):
        try:
            with progress() as on_event:
                drawing = dataclasses.replace(context, on_event=on_event)
                if wish.source is None:
                    return apply_bake(drawing, wish.plan, keep_builder=keep_builder)
                return apply_bake_from(
                    drawing, wish.plan, wish.source, reboot=reboot, keep_builder=keep_builder
                )
        except (KeyboardInterrupt, FleetError) as error:
            for line in error.log if isinstance(error, HostError) else ():
                click.echo(f"  {line}", err=True)
            _echo_standing(context, wish, offers, options)
            raise


def _echo_standing(context: Context, wish: _Wish, offers: Offers, options: Globals) -> None:
    """Say what stands of the bake's two fleets, and which images."""
    from fleet.plan.bake.plan import trial_fleet
    from fleet.workflows.bake.leftover_images import leftover_images

    plan = wish.plan
    echo_partial_fleet(context, plan.builder, offers)
    trial = trial_fleet(plan.recipe.name)
    down = f"`{options.command} down {trial}`"
    tried = dataclasses.replace(plan.builder, fleet=trial)
    echo_partial_fleet(context, tried, dataclasses.replace(offers, down=down))
    try:
        images = leftover_images(context, plan, wish.source)
    except FleetError as error:
        click.echo(f"images could not be looked at ({error}); `fleet amis ls` shows them", err=True)
        return
    for one in images:
        what = "a raw copy of the environment" if one.raw else f"not tried yet, {one.state}"
        removal = offers.down if one.raw else f"`{options.command} amis rm {one.image_id}`"
        click.echo(
            f"image {one.image_id} is there ({what}): {offers.again} goes on, {removal} removes it",
            err=True,
        )


def _show(report: BakeReport, options: Globals, output: str) -> int:
    from fleet.cli.bake.bake_view import echo_bake
    from fleet.cli.teardown.receipt_view import echo_receipt, released

    if output == "json":
        echo_json(report.as_json())
    else:
        echo_bake(report)
    for receipt in report.receipts if output != "json" else ():
        if receipt.clean:
            click.echo(f"{receipt.fleet}: released {released(receipt)}; remaining 0", err=True)
        else:
            echo_receipt(receipt, again=f"`{options.command} down {receipt.fleet}`")
    click.echo("; ".join(_said(report, options)), err=True)
    return EXIT_DONE if report.whole else EXIT_PARTLY


def _said(report: BakeReport, options: Globals) -> Iterator[str]:
    """Say how long it took, what leads to the image, and where its log is."""
    from fleet.cli.bake.bake_view import minutes
    from fleet.plan.tags import STABLE

    name = f"`image: {{name: {report.recipe}}}`"
    if report.seconds is not None:
        yield f"baked in {minutes(report.seconds)}"
    if report.status == STABLE:
        yield f"{name} leads to it"
    else:
        yield f"{name} leads to another one: `{options.command} amis promote {report.image_id}` changes that"
    if report.seconds is not None:
        yield f"log: {report.log}"


def _words(recipe: Path | None, source: str | None, name: str | None) -> str:
    parts = [str(recipe)] if recipe else []
    parts += [f"--from {source}"] if source else []
    parts += [f"--name {name}"] if name else []
    return " ".join(parts)
