"""Extensions over a cloud: a tag says what its machine does, and nothing else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import fleet
from fleet.aws.identity import describe_identity
from fleet.aws.instances import describe_instances
from fleet.aws.launch_templates import describe_launch_templates
from fleet.errors import FleetError, NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.lifetime.extension import Extension, ExtensionReport, Longer
from fleet.workflows.context import Context
from fleet.workflows.lifetime.extend import apply_extend, prepare_extend
from fleet.workflows.record.lease import hold_lease
from tests.machine import Machine
from tests.ssh.servers import ssh_server
from tests.workflows.conftest import SHORT, World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow

PORT = 22023
"""Nobody else's on the addresses of a served cloud."""
TWO_HOURS = timedelta(hours=2)


def found(world: World, member: str) -> InstanceFact:
    instances = describe_instances(world.context.aws, fleet="workshop")
    return next(one for one in instances if one.member == member and one.live)


def context_of(world: World) -> Context:
    settings = dataclasses.replace(world.context.settings, ssh_port=PORT)
    return dataclasses.replace(world.context, settings=settings)


@contextmanager
def reached(
    world: World, member: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """Let a member's machine answer SSH, with the fleet's key; the others' stay silent."""
    machine = Machine(folder)
    for name, value in machine.environment.items():
        monkeypatch.setenv(name, value)
    instance = found(world, member)
    with ssh_server(instance.address or "", PORT) as server:
        world.served.ec2.create_tags(
            Resources=[instance.instance_id],
            Tags=[{"Key": tags.HOST_KEY, "Value": server.host_key}],
        )
        world.served.client("ssm").put_parameter(
            Name="/fleet/workshop/ssh-key",
            Value=server.private_key,
            Type="SecureString",
            Overwrite=True,
        )
        yield machine


def end_of(world: World) -> datetime:
    ends = found(world, "ana").expires_at
    assert ends is not None
    return ends


def extend(
    world: World,
    *members: str,
    by: timedelta = TWO_HOURS,
    between: Callable[[], object] = lambda: None,
) -> ExtensionReport:
    context = context_of(world)
    extension = prepare_extend(context, "workshop", Longer(by=by), members=members)
    between()
    return apply_extend(context, extension)


def test_who_is_reached_gets_more_and_who_is_not_keeps_the_old_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(world)
    before = end_of(world)
    after = before + TWO_HOURS
    with reached(world, "ana", tmp_path / "ana", monkeypatch) as machine:
        machine.answers(timer=after)
        report = extend(world)
    assert [one.reason == "" for one in report.environments] == [True, False, False]
    assert all(one.expires_at == before for one in report.left)
    assert machine.expires_at == f"{tags.expiry_text(after)}\n"
    assert found(world, "ana").expires_at == after
    assert {found(world, member).expires_at for member in ("ben", "cyd")} == {before}
    (template,) = describe_launch_templates(world.context.aws, fleet="workshop")
    assert template.expires_at == tags.expiry_text(after)
    plan = world.plan()
    assert plan.expires_at == after, "whoever replaces one ends with the fleet of now"
    assert after.strftime("%Y-%m-%d %H:%M:%S UTC") in plan.template.user_data
    failed = [event for event in world.events if event.step == "failed" and event.member == "ben"]
    assert failed


def test_a_member_alone_leaves_the_fleet_s_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(world, "[ana, ben]")
    before = end_of(world)
    monkeypatch.setenv("FLEET_SSH_PORT", str(PORT))
    monkeypatch.setenv("FLEET_CACHE_DIR", str(tmp_path / "cache"))
    with reached(world, "ana", tmp_path / "ana", monkeypatch) as machine:
        session = world.served.session()
        report = fleet.extend("workshop", session=session, by=TWO_HOURS, members=["ana"])
    assert report.left == ()
    assert machine.expires_at == f"{tags.expiry_text(before + TWO_HOURS)}\n"
    assert found(world, "ana").expires_at == before + TWO_HOURS
    assert world.plan(members="[ana, ben]").expires_at == before


def test_a_timer_that_stays_at_the_old_time_leaves_the_tag(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(world, "[ana]")
    before = end_of(world)
    with reached(world, "ana", tmp_path / "ana", monkeypatch) as machine:
        machine.answers(timer=before)
        (ana,) = extend(world).environments
    assert ana.reason.startswith("its expiry could not be changed: timer ")
    assert found(world, "ana").expires_at == before


def test_a_tag_that_ec2_refuses_is_told_as_it_is(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launched(world, "[ana]")
    before = end_of(world)
    with reached(world, "ana", tmp_path / "ana", monkeypatch):
        fault = world.served.cloud.faults.add("deny", action="ec2:CreateTags")
        try:
            (ana,) = extend(world, "ana").environments
        finally:
            world.served.cloud.faults.clear(fault.id)
    until = tags.expiry_text(before + TWO_HOURS)
    assert ana.reason.startswith(f"the machine ends at {until} by now, its tag could not say so: ")
    assert found(world, "ana").expires_at == before


def test_what_has_changed_since_it_was_shown_is_not_applied(world: World) -> None:
    launched(world, "[ana]")

    def another() -> None:
        value = tags.expiry_text(end_of(world) + timedelta(hours=5))
        world.served.ec2.create_tags(
            Resources=[found(world, "ana").instance_id],
            Tags=[{"Key": tags.EXPIRES_AT, "Value": value}],
        )

    with pytest.raises(FleetError, match="the expiry of ana has changed since it was looked at"):
        extend(world, between=another)


def test_a_fleet_without_expiry_has_nothing_to_extend(world: World) -> None:
    launched(world, "[ana]", expires="never")
    extension = prepare_extend(world.context, "workshop", Longer(by=TWO_HOURS))
    assert extension.nothing
    assert extension.endless == ("ana",)


def test_a_stopped_machine_keeps_its_end(world: World) -> None:
    launched(world, "[ana]")
    instance_id = found(world, "ana").instance_id
    world.served.ec2.stop_instances(InstanceIds=[instance_id])
    world.served.ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    report = extend(world)
    assert report.extension.usd == 0
    (ana,) = report.left
    assert "ana is stopped" in ana.reason


def test_the_lease_is_held(world: World) -> None:
    launched(world, "[ana]")
    account_id = describe_identity(world.context.aws).account_id
    hasty = dataclasses.replace(world.context, deadlines=dataclasses.replace(SHORT, lease=0))
    extension: Extension = prepare_extend(hasty, "workshop", Longer(by=TWO_HOURS))
    with (
        hold_lease(world.context, "workshop", account_id=account_id, command="up"),
        pytest.raises(FleetError, match="workshop is still held by"),
    ):
        apply_extend(hasty, extension)


def test_whom_nobody_knows_is_told(world: World) -> None:
    with pytest.raises(NothingFoundError, match="there is no fleet workshop"):
        prepare_extend(world.context, "workshop", Longer(by=TWO_HOURS))
    launched(world, "[ana]")
    until = datetime.now(UTC) + timedelta(days=1)
    with pytest.raises(NothingFoundError, match="has no member zoe"):
        prepare_extend(world.context, "workshop", Longer(until=until), members=("zoe",))
