"""What `up` and `plan` share: the flags that take the place of the spec's values, and the plan that they show."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.output import echo_json
from fleet.cli.session import Globals

if TYPE_CHECKING:
    from fleet.plan.launch.plan import Plan
    from fleet.spec.model import FleetSpec
    from fleet.workflows.context import Context

_OPTIONS = (
    click.option("--count", type=int, metavar="N", help="So many environments: env-01, env-02 …"),
    click.option("--market", metavar="MARKET", help="on-demand, spot or spot-first."),
    click.option("--types", metavar="T1,T2", help="Instance types in order of preference."),
    click.option("--expires", metavar="8h", help="When everything ends by itself, or never."),
    click.option("--min", "min_ready", type=int, metavar="K", help="Succeed when K are ready."),
)


@dataclass(frozen=True)
class Flags:
    """The values of the flags; None leaves the spec's own."""

    count: int | None
    market: str | None
    types: str | None
    expires: str | None
    min_ready: int | None


def flag_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags to a command, which gets them as `flags`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        flags = Flags(**{name: kwargs.pop(name) for name in Flags.__dataclass_fields__})
        return function(*args, flags=flags, **kwargs)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def read_wanted(options: Globals, spec: Path, flags: Flags) -> FleetSpec:
    """Read a spec under the flags. Raises SpecError; asks AWS nothing."""
    from fleet.assets.spec_files import read_spec
    from fleet.spec.load import Overrides

    types = None if flags.types is None else tuple(part.strip() for part in flags.types.split(","))
    return read_spec(
        spec,
        overrides=Overrides(
            count=flags.count,
            market=flags.market,
            types=types,
            expires=flags.expires,
            min_ready=flags.min_ready,
            region=options.region,
        ),
    )


def make_plan(context: Context, wanted: FleetSpec, spec: Path) -> Plan:
    """Plan. Imported here, past the spec's faults: boto3 takes a third of a second."""
    from fleet.cli.progress import working
    from fleet.workflows.launch.prepare import prepare_up

    with working("looking at images, prices and what is there"):
        return prepare_up(context, wanted, folder=spec.absolute().parent)


def echo_as_result(context: Context, plan: Plan, output: str) -> None:
    """Print a plan on stdout, where it is the result."""
    from fleet.cli.launch.plan_view import echo_plan
    from fleet.plan.launch.as_json import plan_as_json

    if output == "json":
        echo_json(plan_as_json(plan, now=context.now()))
    else:
        echo_plan(plan, now=context.now(), err=False)
