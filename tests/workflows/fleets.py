"""Fleets for the tests of teardown and sweep: launched, without anybody to reach; and what a receipt counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fleet.plan.environment.report import FleetReport
from fleet.plan.teardown.receipt import Receipt
from fleet.workflows.launch.up import apply_up
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.workflows.conftest import SHORT, World


def launched(world: World, members: str = "[ana, ben, cyd]", **changes: str) -> FleetReport:
    """Launch a fleet; its hosts are nobody's to reach, and given up at once."""
    return apply_up(world.context, world.plan(members=members, **changes))


def down(
    world: World,
    *,
    members: Sequence[str] = (),
    keep_volumes: bool = False,
    deadline: float = SHORT.terminated,
) -> Receipt:
    """Take the fleet `workshop` away."""
    context = dataclasses.replace(
        world.context, deadlines=dataclasses.replace(SHORT, terminated=deadline)
    )
    plan = prepare_down(context, "workshop", members=members, keep_volumes=keep_volumes)
    return apply_down(context, plan)


def released(receipt: Receipt) -> dict[str, int]:
    """Count what was released, by kind."""
    return {kind: len(ids) for kind, ids in receipt.released.items() if ids}


def remaining(receipt: Receipt) -> dict[str, int]:
    """Count what is left, by kind."""
    return {kind: len(ids) for kind, ids in receipt.remaining.items() if ids}
