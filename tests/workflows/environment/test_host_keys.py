"""Who answers at an instance's address is believed by its console alone, and later by its tag."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.plan import tags
from fleet.plan.environment.report import Environment
from fleet.ssh import keys
from fleet.ssh.keygen import generate_private_key
from fleet.workflows.launch.up import apply_up
from tests.ssh.servers import Server, ssh_server
from tests.workflows.conftest import SHORT, World

pytestmark = pytest.mark.slow

PORT = 22022
"""Nobody else's on the addresses of a served cloud."""


def up_against(world: World, *, console: str, recorded: str = "") -> tuple[Environment, Server]:
    """Bring one environment up where a server of its own answers SSH at its address."""
    settings = dataclasses.replace(world.context.settings, ssh_port=PORT)
    context = dataclasses.replace(world.context, settings=settings)
    (first,) = apply_up(context, world.plan(members="[ana]")).environments
    assert "no SSH connection" in first.reason, "nobody answers there yet"
    instance_id = first.instance_id or ""
    world.served.driver.consoles[instance_id] = (
        f"-----BEGIN SSH HOST KEY KEYS-----\n{console}\n-----END SSH HOST KEY KEYS-----\n"
    )
    if recorded:
        world.served.ec2.create_tags(
            Resources=[instance_id], Tags=[{"Key": tags.HOST_KEY, "Value": recorded}]
        )
    patient = dataclasses.replace(context, deadlines=dataclasses.replace(SHORT, ssh=60))
    with ssh_server(first.address or "", PORT) as server:
        (environment,) = apply_up(patient, world.plan(members="[ana]")).environments
    return environment, server


def tag_of(world: World, environment: Environment) -> str | None:
    (found,) = world.served.ec2.describe_instances(InstanceIds=[environment.instance_id or ""])[
        "Reservations"
    ]
    values = {tag["Key"]: tag["Value"] for tag in found["Instances"][0]["Tags"]}
    return values.get(tags.HOST_KEY)


def test_a_man_in_the_middle_gets_nothing_at_the_first_connection(world: World) -> None:
    real = keys.public_line(generate_private_key())
    environment, impostor = up_against(world, console=real)
    assert environment.state == "failed"
    assert "that is not in the instance's console output" in environment.reason
    assert impostor.logins == []
    assert tag_of(world, environment) is None


def test_a_key_that_changed_since_stops_that_environment(world: World) -> None:
    recorded = keys.public_line(generate_private_key())
    environment, impostor = up_against(world, console=recorded, recorded=recorded)
    assert environment.state == "failed"
    assert "another SSH host key than the one recorded in its tag" in environment.reason
    assert impostor.logins == []
    assert tag_of(world, environment) == recorded
