"""Which functions a command's source reaches, and so which permissions it needs."""

from __future__ import annotations

import pytest

from buildtools.call_graph import effects_by_command, reachable
from fleet.aws.effects import declared_actions
from fleet.cli.app import COMMANDS
from fleet.plan.account import iam
from fleet.workflows.account.iam import effects_of


def actions_of(command: str) -> set[str]:
    return {action for effect in effects_of([COMMANDS[command][0]]) for action in effect}


def test_names_are_followed_through_imports_inside_functions_and_classes() -> None:
    found = reachable(["fleet.cli.launch.up"])
    assert "fleet.workflows.launch.up._Arrivals" in found
    assert "fleet.aws.fleets.create_instant_fleet" in found
    assert not any(name.startswith("fleet.sandbox") for name in found)


def test_a_module_that_is_named_as_a_whole_is_followed_by_its_attributes() -> None:
    assert "fleet.workflows.launch.prepare.prepare_up" in reachable(["fleet.api"])


def test_a_command_that_a_module_adds_to_its_group_is_followed() -> None:
    changes = {"ec2:CopyImage", "ec2:DeregisterImage", "ec2:ModifyImageAttribute"}
    assert changes <= actions_of("amis")


@pytest.mark.parametrize(
    "command",
    ["status", "urls", "ca", "ls", "ssh", "exec", "open", "tunnel", "plan", "types", "cost"],
)
def test_who_only_looks_may_change_nothing(command: str) -> None:
    verbs = {action.partition(":")[2] for action in actions_of(command)} - {
        "Decrypt",
        "StartSession",
    }
    assert all(verb.startswith(("Describe", "Get", "List", "Decode")) for verb in verbs), verbs


def test_up_launches_and_only_down_terminates() -> None:
    assert {"ec2:CreateFleet", "ssm:PutParameter"} <= actions_of("up")
    assert "ec2:TerminateInstances" not in actions_of("up")
    assert {"ec2:TerminateInstances", "ssm:DeleteParameters"} <= actions_of("down")
    assert "ec2:CreateFleet" not in actions_of("down")


@pytest.mark.parametrize("command", ["spec", "sandbox", "completion", "iam"])
def test_what_asks_aws_nothing_needs_nothing(command: str) -> None:
    assert actions_of(command) == set()


def test_every_effect_is_reached_by_some_command() -> None:
    reached = reachable([*(module for module, _ in COMMANDS.values()), "fleet.api"])
    assert declared_actions().keys() - reached == set()


def test_the_effects_that_commands_reach_are_those_that_are_declared() -> None:
    reached = {effect for effects in effects_by_command().values() for effect in effects}
    assert reached == declared_actions().keys()


def test_nothing_is_allowed_that_no_effect_declares() -> None:
    declared = {action for effect in declared_actions().values() for action in effect}
    said = {action for scope in iam._SCOPES for action in scope.actions}
    assert said - declared == set(), "take it out of fleet/plan/account/iam.py"
    assert iam.CHECKED_WITH.keys() <= declared
