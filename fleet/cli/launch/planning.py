"""What `up`, `plan` and `watch` share: the plan, and how it is shown as a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fleet.cli.output import echo_json

if TYPE_CHECKING:
    from fleet.plan.launch.plan import Plan
    from fleet.spec.model import FleetSpec
    from fleet.workflows.context import Context


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
