"""Takes one of a bake's fleets away, and tells what is left of it."""

from __future__ import annotations

from fleet.errors import FleetError
from fleet.plan.teardown.receipt import Receipt
from fleet.workflows.context import Context
from fleet.workflows.record.lease import HeldLease
from fleet.workflows.teardown.down import apply_down, prepare_down


def clean_up(context: Context, fleet: str, *, step: str, held: HeldLease | None = None) -> Receipt:
    """Take a fleet away, whoever is at work on it. What is left is told as `step`."""
    receipt = apply_down(context, prepare_down(context, fleet), held=held)
    for one in receipt.left:
        context.tell(None, step, "failed", f"{one.resource_id} is left: {one.command}")
    return receipt


def clean_up_or_tell(
    context: Context, fleet: str, *, step: str, held: HeldLease | None = None
) -> None:
    """The same after an error, which is what is raised: what stands in the way here is told."""
    try:
        clean_up(context, fleet, step=step, held=held)
    except FleetError as error:
        context.tell(None, step, "failed", f"{fleet} is left: {error}")
