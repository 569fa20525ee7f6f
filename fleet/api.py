"""The Python API: the workflows as functions. They return dataclasses, never print, never ask.

import boto3, fleet

spec = fleet.read_spec("workshop.yaml")
session = boto3.Session(region_name="us-east-1")
report = fleet.up(spec, session=session)
for environment in report.environments:
    print(environment.member, environment.jupyter_url)
receipt = fleet.down("workshop", session=session)
assert receipt.clean
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.assets import recipe_files, spec_files
from fleet.aws.clients import Aws, resolve_region
from fleet.plan.bake.report import BakeReport
from fleet.plan.environment.report import FleetReport
from fleet.plan.launch.plan import Plan
from fleet.plan.lifetime.extension import ExtensionReport, Longer
from fleet.plan.lifetime.survey import WatchEvent
from fleet.plan.teardown.receipt import Receipt
from fleet.recipe.model import Recipe
from fleet.spec.load import Overrides
from fleet.spec.model import FleetSpec
from fleet.workflows.bake.apply import apply_bake
from fleet.workflows.bake.prepare import prepare_bake
from fleet.workflows.context import Context, settings_from
from fleet.workflows.environment.bootstrap import bootstrap_again
from fleet.workflows.environment.rotate import rotate as apply_rotation
from fleet.workflows.environment.status import FleetSummary, describe_fleet, list_fleets
from fleet.workflows.events import OnEvent, silent
from fleet.workflows.handout.pages import Handout, Wishes, write_handout
from fleet.workflows.launch import prepare
from fleet.workflows.launch.up import apply_up
from fleet.workflows.lifetime.extend import apply_extend, prepare_extend
from fleet.workflows.lifetime.watch import EVERY_SECONDS, Watch
from fleet.workflows.teardown.down import apply_down, prepare_down

if TYPE_CHECKING:
    import boto3


def read_spec(path: str | Path) -> FleetSpec:
    """Read and check a spec. Raises SpecError with all its faults."""
    return spec_files.read_spec(Path(path), overrides=Overrides())


def prepare_up(spec: FleetSpec, *, session: boto3.Session, folder: str | Path = ".") -> Plan:
    """Plan what `up` would do. `folder` is where the spec's relative paths start. Changes nothing."""
    return prepare.prepare_up(_context(session, spec.region), spec, folder=Path(folder))


def up(
    spec: FleetSpec,
    *,
    session: boto3.Session,
    folder: str | Path = ".",
    on_event: OnEvent = silent,
) -> FleetReport:
    """Launch a fleet or bring it to its spec; gives every member's environment, ready or with the reason."""
    context = _context(session, spec.region, on_event)
    return apply_up(context, prepare.prepare_up(context, spec, folder=Path(folder)))


def bootstrap(
    fleet: str,
    *,
    session: boto3.Session,
    members: Sequence[str] = (),
    on_event: OnEvent = silent,
) -> FleetReport:
    """Bootstrap all members' environments (or those named) again, as each keeps it, and prove them."""
    return bootstrap_again(_context(session, None, on_event), fleet, members=members)


def watch(
    spec: FleetSpec,
    *,
    session: boto3.Session,
    folder: str | Path = ".",
    every: float = EVERY_SECONDS,
    once: bool = False,
    on_event: OnEvent = silent,
) -> Iterator[WatchEvent]:
    """Keep a fleet at its size; gives what happens, as long as somebody takes it. `every` is seconds between two looks.

    `on_event` hears the steps of each replacement. Raises NothingFoundError where there is no such fleet.
    """
    context = _context(session, spec.region, on_event)
    return Watch(context, spec, folder=Path(folder), every=every).events(once=once)


def read_recipe(path: str | Path) -> Recipe:
    """Read and check an image's recipe. Raises SpecError with all its faults."""
    return recipe_files.read_recipe(Path(path))


def bake(
    recipe: Recipe,
    *,
    session: boto3.Session,
    folder: str | Path = ".",
    anew: bool = False,
    on_event: OnEvent = silent,
) -> BakeReport:
    """Bake an image, try it, and make it what the recipe's name means. `folder` is where the recipe's paths start.

    An image of the same content is enough, unless `anew`. Raises BakeError where the recipe is at fault.
    """
    context = _context(session, recipe.region, on_event)
    files = recipe_files.read_recipe_files(Path(folder), recipe)
    return apply_bake(context, prepare_bake(context, recipe, files, anew=anew))


def status(fleet: str, *, session: boto3.Session) -> FleetReport:
    """Describe a fleet. Raises NothingFoundError where there is none."""
    return describe_fleet(_context(session), fleet)


def ls(*, session: boto3.Session) -> tuple[FleetSummary, ...]:
    """List the fleets of the session's account and region."""
    return list_fleets(_context(session))


def down(
    fleet: str,
    *,
    session: boto3.Session,
    members: Sequence[str] = (),
    keep_volumes: bool = False,
    on_event: OnEvent = silent,
) -> Receipt:
    """Take a fleet, or some of its members' environments, away, and look again."""
    context = _context(session, None, on_event)
    return apply_down(
        context, prepare_down(context, fleet, members=members, keep_volumes=keep_volumes)
    )


def extend(
    fleet: str,
    *,
    session: boto3.Session,
    by: timedelta | None = None,
    until: datetime | None = None,
    members: Sequence[str] = (),
    on_event: OnEvent = silent,
) -> ExtensionReport:
    """Let a fleet, or some of its members' environments, run longer: `by` so long, or `until` a time with its zone."""
    context = _context(session, None, on_event)
    extension = prepare_extend(context, fleet, Longer(by=by, until=until), members=members)
    return apply_extend(context, extension)


def rotate(
    fleet: str,
    *,
    session: boto3.Session,
    members: Sequence[str] = (),
    on_event: OnEvent = silent,
) -> FleetReport:
    """Give all members (or those named) another token; gives the links that each of them needs now."""
    return apply_rotation(_context(session, None, on_event), fleet, members=members)


def handout(
    fleet: str,
    *,
    session: boto3.Session,
    folder: str | Path,
    contact: str = "",
    template: str | Path | None = None,
) -> Handout:
    """Write a page for each member into a folder, and an overview. They hold the tokens: files are 0600."""
    wishes = Wishes(contact=contact, template=None if template is None else Path(template))
    return write_handout(_context(session), fleet, folder=Path(folder), wishes=wishes)


def _context(
    session: boto3.Session, region: str | None = None, on_event: OnEvent = silent
) -> Context:
    settings = settings_from(os.environ)
    return Context(
        aws=Aws(session, region=resolve_region(session, region)),
        settings=settings,
        on_event=on_event,
    )
