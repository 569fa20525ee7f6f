"""What the workflow of a command really calls, the policy of that command allows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from fleet.cli.app import COMMANDS
from fleet.plan.hardware.estimate import Item
from fleet.workflows.account.doctor import examine
from fleet.workflows.account.iam import effects_of
from fleet.workflows.environment.status import list_fleets
from fleet.workflows.hardware.cost import estimate_cost
from fleet.workflows.hardware.quotas import count_spec
from fleet.workflows.teardown.sweep import apply_sweep, prepare_sweep
from tests.workflows.conftest import World, spec
from tests.workflows.fleets import down, launched

pytestmark = pytest.mark.slow


def calls_of(world: World, work: Callable[[], object]) -> set[str]:
    """Give the IAM actions of the calls that some work makes."""
    hooks = world.served.cloud.hooks
    before = len(hooks.calls)
    work()
    return {f"{call.service}:{call.action}" for call in hooks.calls[before:] if call.action}


def allowed(command: str) -> set[str]:
    return {action for effect in effects_of([COMMANDS[command][0]]) for action in effect}


def test_a_fleet_from_launch_to_teardown(world: World) -> None:
    up = calls_of(
        world,
        lambda: launched(world, "[ana, ben]", instances="{types: [g5.xlarge], market: spot-first}"),
    )
    assert {"ec2:CreateFleet", "ssm:PutParameter", "ec2:ImportKeyPair"} <= up
    assert up <= allowed("up")
    assert calls_of(world, lambda: list_fleets(world.context)) <= allowed("ls")
    assert calls_of(world, world.plan) <= allowed("plan")
    kept = calls_of(world, lambda: down(world, members=["ana"], keep_volumes=True))
    gone = calls_of(world, lambda: down(world))
    assert {"ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"} <= gone
    assert kept | gone <= allowed("down")


def test_a_sweep(world: World) -> None:
    launched(world, "[ana]")
    none = timedelta()

    def sweep() -> None:
        apply_sweep(world.context, prepare_sweep(world.context, older_than=none))

    assert calls_of(world, sweep) <= allowed("sweep")


def test_who_only_looks(world: World) -> None:
    item = Item("g5.xlarge", 1, "g5.xlarge", timedelta(hours=1), "spot")
    assert calls_of(world, lambda: examine(world.context, spec=None, spec_name="")) <= allowed(
        "doctor"
    )
    assert calls_of(world, lambda: count_spec(world.context, spec())) <= allowed("quota")
    assert calls_of(world, lambda: estimate_cost(world.context, [item])) <= allowed("cost")
