"""Which tags go on an instance together, and that it becomes a member's whatever becomes of the host."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack
from typing import Any

import pytest

from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.workflows.environment.claim import Claim
from fleet.workflows.environment.status import live_instances
from fleet.workflows.events import Event
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.make_secrets import ensure_secrets
from tests.ssh.servers import ssh_server
from tests.workflows.conftest import SHORT, World

pytestmark = pytest.mark.slow

PORT = 22023
"""Nobody else's on the addresses of a served cloud."""


Tagging = list[dict[str, str]]
"""The tags of each CreateTags, in order."""


@pytest.fixture
def tagged(world: World) -> Tagging:
    """Those of the run over `world`."""
    calls: Tagging = []

    def called(params: dict[str, Any], **_: object) -> None:
        calls.append({tag["Key"]: tag["Value"] for tag in params["Tags"]})

    world.context.aws.session.events.register("provide-client-params.ec2.CreateTags", called)
    return calls


def the_instance(world: World) -> InstanceFact:
    (found,) = live_instances(world.context, "workshop")
    return found


def test_a_host_that_answers_at_once_is_claimed_with_its_key(world: World, tagged: Tagging) -> None:
    """The server runs nothing: the bootstrap fails, and both are recorded by then."""
    secrets = ensure_secrets(world.context, "workshop", expires_at=None)
    with ExitStack() as servers:

        def boot(event: Event) -> None:
            if event.step != "ssh" or event.state != "running":
                return
            instance = the_instance(world)
            assert instance.member is None
            server = servers.enter_context(
                ssh_server(
                    instance.address or "", PORT, private_key=secrets.private_key, runs=False
                )
            )
            world.served.driver.consoles[instance.instance_id] = (
                f"-----BEGIN SSH HOST KEY KEYS-----\n{server.host_key}\n"
                "-----END SSH HOST KEY KEYS-----\n"
            )

        context = dataclasses.replace(
            world.context,
            settings=dataclasses.replace(world.context.settings, ssh_port=PORT),
            deadlines=dataclasses.replace(SHORT, ssh=60, bootstrap=60),
            on_event=boot,
        )
        (environment,) = apply_up(context, world.plan(members="[ana]")).environments
    assert environment.state == "failed"
    assert "bootstrap" in environment.reason
    (only,) = tagged
    assert {tags.MEMBER, tags.HOST_KEY, tags.HOURLY_USD, "Name"} <= set(only)
    assert the_instance(world).tags.items() >= only.items()


def test_a_host_that_nobody_reaches_is_claimed(world: World, tagged: Tagging) -> None:
    (environment,) = apply_up(world.context, world.plan(members="[ana]")).environments
    assert environment.state == "failed"
    assert [tags.MEMBER in each for each in tagged] == [True]
    assert the_instance(world).member == "ana"


def test_the_claim_waits_for_a_host_that_boots_a_short_while_only(
    world: World, tagged: Tagging
) -> None:
    apply_up(world.context, world.plan(members="[ana]"))
    tagged.clear()
    passed, slept = [0.0], list[float]()
    context = dataclasses.replace(world.context, clock=lambda: passed[0], sleep=slept.append)
    claim = Claim(context, the_instance(world), {tags.MEMBER: "ben"})
    for at in (1.0, 29.0):
        passed[0] = at
        claim.sleep(1.0)
        assert tagged == []
    passed[0] = 30.0
    claim.sleep(1.0)
    claim.sleep(1.0)
    assert tagged == [{tags.MEMBER: "ben"}]
    claim.put({tags.HOST_KEY: "ssh-ed25519 AAAA"})
    claim.put()
    assert tagged == [{tags.MEMBER: "ben"}, {tags.HOST_KEY: "ssh-ed25519 AAAA"}]
    assert slept == [1.0] * 4
