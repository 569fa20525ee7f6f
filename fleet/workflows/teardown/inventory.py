"""Looks at every kind that a fleet may leave behind, all kinds at the same time. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable

from fleet.aws.inventory import READERS
from fleet.errors import NotAuthorizedError
from fleet.plan.teardown.resources import KINDS, Inventory, Kind, Resource, with_instance_tags
from fleet.side_by_side import each_side_by_side
from fleet.workflows.context import Context

_LOOKS = 5
_BETWEEN_LOOKS = 1.0


def describe_inventory(context: Context, fleet: str | None) -> Inventory:
    """Describe everything of a fleet, or of all fleets of the region.

    A kind that this identity may not see is told under `unread`; every other error is raised.
    """
    unread: dict[Kind, str] = {}

    def read(kind: Kind) -> tuple[Resource, ...]:
        try:
            return READERS[kind](context.aws, fleet)
        except NotAuthorizedError as error:
            unread[kind] = str(error)
            return ()

    answers = each_side_by_side(read, KINDS, at_once=len(KINDS))
    found = [one for answer in answers for one in answer]
    return Inventory(with_instance_tags(found), unread)


def look_again(
    context: Context, fleet: str | None, *, settled: Callable[[Inventory], bool]
) -> Inventory:
    """Describe everything again, a few times until it is settled: EC2's answers lag behind its deeds."""
    inventory = describe_inventory(context, fleet)
    for _ in range(_LOOKS - 1):
        if settled(inventory):
            break
        context.sleep(_BETWEEN_LOOKS)
        inventory = describe_inventory(context, fleet)
    return inventory
