"""A watch over a region: it replaces what is lost, lets rest what ended on purpose, and never makes a fleet anew."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.errors import NotAuthorizedError, NothingFoundError
from fleet.plan import tags
from fleet.plan.lifetime.survey import WatchEvent
from fleet.workflows.context import Context
from fleet.workflows.events import Event
from fleet.workflows.launch.partial import describe_partial_fleet
from fleet.workflows.launch.up import apply_up
from fleet.workflows.lifetime.watch import Watch
from fleet.workflows.record.ended import describe_ended
from fleet.workflows.record.lease import hold_lease
from tests.sandbox.cloud.recording import eventually
from tests.workflows.calls import count_calls
from tests.workflows.conftest import World, spec
from tests.workflows.fleets import down, launched
from tests.workflows.runs import nap

pytestmark = pytest.mark.slow

SPOT = {"instances": "{types: [g5.xlarge], market: spot}"}
MEMBERS = ("ana", "ben", "cyd")


class Clock:
    """Seconds that pass with each look at them: what waits comes to an end, and soon."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def begin(world: World, **changes: str) -> dict[str, str]:
    """Launch, and let every environment look bootstrapped; gives instance ids by member."""
    report = launched(world, "[ana, ben, cyd]", **changes)
    made_ready(world)
    return {str(e.member): str(e.instance_id) for e in report.environments}


def made_ready(world: World) -> None:
    for one in world.plan().owned.instances:
        if one.state == "running" and tags.BOOTSTRAP not in one.tags:
            mark(world, one.instance_id, tags.BOOTSTRAP)


def mark(world: World, instance_id: str, tag: str) -> None:
    world.served.ec2.create_tags(Resources=[instance_id], Tags=[{"Key": tag, "Value": "b"}])


def watch(
    world: World, changes: dict[str, str] | None = None, *, context: Context | None = None
) -> Watch:
    return Watch(context or world.context, spec(**changes or {}), folder=Path(), every=30)


def once(
    world: World, changes: dict[str, str] | None = None, *, context: Context | None = None
) -> list[WatchEvent]:
    return list(watch(world, changes, context=context).events(once=True))


def kinds(events: Sequence[WatchEvent]) -> list[tuple[str, str | None]]:
    return [(event.kind, event.member) for event in events]


def live(world: World) -> Counter[str]:
    """The members' instances that live."""
    return Counter(str(i.member) for i in world.plan().owned.instances if i.live)


def gone(world: World, instance_id: str) -> None:
    """Wait until EC2 says that an instance has ended."""
    eventually(lambda: state(world, instance_id), lambda found: found == "terminated")


def state(world: World, instance_id: str) -> str:
    found = world.served.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
    return found[0]["Instances"][0]["State"]["Name"]


def test_a_look_that_finds_nothing_to_do_makes_one_call(world: World) -> None:
    calls = count_calls(world)
    begin(world)
    calls.clear()
    (told,) = once(world)
    assert (told.kind, told.detail) == ("whole", "3 of 3 environments there: nothing to do")
    assert calls == {"DescribeInstances": 1}


def test_a_look_at_spot_makes_one_more(world: World) -> None:
    calls = count_calls(world)
    begin(world, **SPOT)
    calls.clear()
    assert kinds(once(world, SPOT)) == [("whole", None)]
    assert calls == {"DescribeInstances": 1, "DescribeSpotInstanceRequests": 1}


def test_what_ec2_takes_back_is_replaced_and_nobody_else_is_touched(world: World) -> None:
    before = begin(world, **SPOT)
    world.served.cloud.faults.add("spot-interruption", member="ana", notice="1h")
    world.events.clear()
    found = once(world, SPOT)
    assert kinds(found) == [("lost", "ana"), ("replacing", "ana"), ("failed", "ana")]
    assert found[0].instance_id == before["ana"]
    assert found[0].detail.startswith("EC2 takes it back at about ")
    assert "/h at most" in found[1].detail
    assert "no SSH connection" in found[2].detail, "nobody listens in this region"
    assert {event.member for event in world.events} <= {None, "ana"}
    assert live(world) == {"ana": 2, "ben": 1, "cyd": 1}
    made_ready(world)
    assert kinds(once(world, SPOT)) == [("whole", None)]
    assert live(world) == {"ana": 2, "ben": 1, "cyd": 1}


@pytest.mark.parametrize("how", ["reclaimed", "terminated by somebody", "died"])
def test_what_is_gone_is_replaced(world: World, how: str) -> None:
    before = begin(world, **SPOT)
    if how == "reclaimed":
        world.served.cloud.faults.add("spot-interruption", member="ben", notice="0s")
    elif how == "died":
        end(world, before["ben"], "Server.InternalError")
    else:
        world.served.ec2.terminate_instances(InstanceIds=[before["ben"]])
    gone(world, before["ben"])
    found = once(world, SPOT)
    assert kinds(found)[:2] == [("lost", "ben"), ("replacing", "ben")]
    assert live(world) == dict.fromkeys(MEMBERS, 1)


def end(world: World, instance_id: str, code: str) -> None:
    """Let an instance end with a reason of its own."""
    cloud = world.served.cloud
    with cloud.state.lock:
        for backend in cloud.faults._regions():
            instance = backend.instance_by_id(instance_id)
            if instance is not None:
                backend.lives.terminate(instance, code=code, message="words")


def test_what_switched_itself_off_rests_until_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = dataclasses.replace(world.served.cloud.state.settings, terminated_seconds=0.5)
    monkeypatch.setattr(world.served.cloud.state, "settings", soon)
    before = begin(world)
    events = watch(world).events()
    assert next(events).kind == "watching"
    world.served.cloud.host_powered_off(before["cyd"])
    told = next(events)
    assert (told.kind, told.member) == ("resting", "cyd")
    assert "idle, or somebody shut it down" in told.detail
    eventually(lambda: len(world.states()), lambda found: found == 2)  # EC2 has forgotten it
    world.served.cloud.state.faults.add("never-boots", {})
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    told = next(events)
    assert (told.kind, told.member) == ("lost", "ana"), "told once; the others are looked after"
    assert describe_ended(world.context, "workshop").names == {"cyd"}
    assert ("replacing", "cyd") not in kinds(once(world)), "from any machine, with no memory of it"
    assert live(world) == {"ana": 1, "ben": 1}
    assert "cyd" in {member.name for member in world.plan().members.launch}, (
        "a person's up brings it back"
    )
    apply_up(world.context, world.plan())
    assert describe_ended(world.context, "workshop").names == frozenset()
    assert live(world) == dict.fromkeys(MEMBERS, 1)


def test_whom_down_took_away_rests(world: World) -> None:
    before = begin(world)
    down(world, members=["ben"])
    found = once(world)
    assert kinds(found) == [("resting", "ben"), ("whole", None)]
    assert live(world) == {"ana": 1, "cyd": 1}
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    assert ("replacing", "ana") in kinds(once(world))
    assert live(world) == {"ana": 1, "cyd": 1}


def test_a_stopped_one_is_told_and_left(world: World) -> None:
    before = begin(world, expires="never")
    world.served.ec2.stop_instances(InstanceIds=[before["ana"]])
    found = once(world, {"expires": "never"})
    assert kinds(found) == [("stopped", "ana"), ("whole", None)]


def test_without_capacity_it_waits_longer_each_time_and_says_why(world: World) -> None:
    before = begin(world)
    clock = Clock()
    context = dataclasses.replace(world.context, clock=clock)
    world.served.cloud.faults.add("no-capacity")
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    watching = watch(world, context=context)
    events = watching.events()
    assert next(events).kind == "watching"
    assert kinds([next(events), next(events)]) == [("lost", "ana"), ("replacing", "ana")]
    told = next(events)
    assert "InsufficientInstanceCapacity" in told.detail
    assert told.detail.endswith("; tried again in 30 s")
    assert watching.short
    began = clock.now
    assert next(events).kind == "replacing"
    assert clock.now - began >= 30
    assert next(events).detail.endswith("; tried again in 60 s")
    world.served.cloud.faults.clear()
    assert next(events).kind == "replacing"
    next(events)
    assert live(world) == dict.fromkeys(MEMBERS, 1)


def test_a_bootstrap_that_broke_off_is_gone_on_with_and_given_up(world: World) -> None:
    launched(world, "[ana, ben, cyd]")
    for one in world.plan().owned.instances[1:]:
        mark(world, one.instance_id, tags.BOOTSTRAP)
    context = dataclasses.replace(world.context, clock=Clock())
    events = watch(world, context=context).events()
    found = [next(events) for _ in range(7)]
    assert [event.kind for event in found] == ["watching", *(["replacing", "failed"] * 3)]
    assert found[-1].detail.endswith("; not tried again: `fleet up` goes on with it")
    assert sum(live(world).values()) == 3


def test_a_fleet_that_is_taken_away_ends_it(world: World) -> None:
    begin(world)
    events = watch(world).events()
    assert next(events).kind == "watching"
    assert down(world).clean
    (told,) = events
    assert (told.kind, told.detail) == (
        "ended",
        "somebody has taken it away: nothing is left to watch",
    )
    with pytest.raises(NothingFoundError, match="there is no fleet workshop in us-east-1"):
        once(world)
    assert live(world) == {}


def test_a_fleet_that_is_taken_away_while_it_acts_is_not_made_again(world: World) -> None:
    before = begin(world)
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    events = watch(world).events()
    assert [next(events).kind for _ in range(3)] == ["watching", "lost", "replacing"]
    assert down(world).clean
    found = list(events)
    assert kinds(found) == [("failed", "ana"), ("ended", None)]
    assert "not there, or not whole: nothing is launched" in found[0].detail
    assert set(world.states()) == {"terminated"}


def test_half_a_fleet_is_not_made_whole(world: World) -> None:
    before = begin(world)
    world.served.ec2.terminate_instances(InstanceIds=list(before.values()))
    for one in before.values():
        gone(world, one)
    world.served.ec2.delete_key_pair(KeyName="fleet-workshop")
    watching = watch(world)
    found = list(watching.events(once=True))
    assert ("failed", "ana") in kinds(found)
    assert watching.short
    assert set(world.states()) == {"terminated"}


def test_the_fleets_expiry_ends_it(world: World) -> None:
    begin(world)
    later = dataclasses.replace(
        world.context, now=lambda: datetime.now(UTC) + timedelta(hours=8, minutes=1)
    )
    (told,) = watch(world, context=later).events()
    assert told.kind == "ended"
    assert told.detail.startswith("its time was over at ")
    world.served.ec2.terminate_instances(
        InstanceIds=[i.instance_id for i in world.plan().owned.instances]
    )
    eventually(lambda: set(world.states()), lambda found: found == {"terminated"})
    (told,) = once(world, context=later)
    assert told.kind == "ended", "the launch template still knows it"


def test_nothing_new_is_launched_past_the_fleets_own_expiry(world: World) -> None:
    before = begin(world)
    (template,) = world.plan().owned.launch_templates
    expired_at = {"Key": tags.EXPIRES_AT, "Value": "2026-01-01T00:00:00Z"}
    world.served.ec2.create_tags(Resources=[template.template_id], Tags=[expired_at])  # type: ignore[list-item]
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    found = once(world)
    assert kinds(found) == [("lost", "ana"), ("failed", "ana")]
    assert "own time was over at 2026-01-01T00:00:00Z" in found[-1].detail
    assert live(world) == {"ben": 1, "cyd": 1}


def test_whoever_else_is_at_work_is_not_disturbed(world: World) -> None:
    before = begin(world)
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    short = dataclasses.replace(world.context.deadlines, lease=0.2)
    context = dataclasses.replace(world.context, deadlines=short)
    with hold_lease(world.context, "workshop", account_id="123456789012", command="up"):
        found = once(world, context=context)
    assert kinds(found)[-1] == ("failed", "ana")
    assert "is still held by" in found[-1].detail
    assert live(world) == {"ben": 1, "cyd": 1}


def test_trouble_that_passes_is_told_once_and_ends_nothing(world: World) -> None:
    before = begin(world)
    events = watch(world).events()
    assert next(events).kind == "watching"
    world.served.cloud.faults.add(
        "error", action="DescribeInstances", code="InvalidRequest", calls=3
    )
    told = next(events)
    assert (told.kind, told.member) == ("note", None)
    assert "InvalidRequest" in told.detail
    assert told.detail.endswith("; looked again in 30 s")
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    told = next(events)
    assert (told.kind, told.member) == ("lost", "ana"), "two more refusals are passed over"


def test_what_stays_denied_ends_it(world: World) -> None:
    begin(world)
    events = watch(world).events()
    assert next(events).kind == "watching"
    world.served.cloud.faults.add("deny", action="DescribeInstances")
    with pytest.raises(NotAuthorizedError, match="DescribeInstances"):
        next(events)


def test_a_denied_launch_ends_it_too(world: World) -> None:
    before = begin(world)
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    world.served.cloud.faults.add("deny", action="CreateFleet")
    events = watch(world).events()
    assert [next(events).kind for _ in range(3)] == ["watching", "lost", "replacing"]
    with pytest.raises(NotAuthorizedError, match="CreateFleet"):
        next(events)
    assert live(world) == {"ben": 1, "cyd": 1}


def test_an_interrupt_in_the_middle_leaves_nothing_untold(world: World) -> None:
    before = begin(world)
    world.served.ec2.terminate_instances(InstanceIds=[before["ana"]])
    gone(world, before["ana"])
    launched_one = threading.Event()

    def on_event(event: Event) -> None:
        if (event.step, event.state) == ("launch", "done"):
            launched_one.set()

    def sleep(seconds: float) -> None:
        if launched_one.is_set() and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        nap(seconds)

    context = dataclasses.replace(world.context, on_event=on_event, sleep=sleep)
    watching = watch(world, context=context)
    with pytest.raises(KeyboardInterrupt):
        list(watching.events(once=True))
    assert watching.acting is not None, "so the command says what stands"
    standing = describe_partial_fleet(world.context, watching.acting)
    assert (standing.running, standing.unanswered) == (3, False)
    made_ready(world)
    found = once(world)
    assert {event.member for event in found} == {"ana"}, "what came is gone on with"
    assert live(world) == dict.fromkeys(MEMBERS, 1)


def test_one_that_ec2_does_not_show_for_a_moment_is_not_lost(world: World) -> None:
    before = begin(world)
    clock = Clock()
    context = dataclasses.replace(world.context, clock=clock)
    events = watch(world, context=context).events()
    assert next(events).kind == "watching"
    hide(world, before["ana"], seconds=3600)
    told = next(events)
    assert (told.kind, told.member, told.detail) == ("lost", "ana", "it has no instance")
    assert clock.now > 60


def hide(world: World, instance_id: str, *, seconds: float) -> None:
    cloud = world.served.cloud
    with cloud.state.lock:
        for backend in cloud.faults._regions():
            instance = backend.instance_by_id(instance_id)
            if instance is not None:
                until = cloud.state.now() + timedelta(seconds=seconds)
                instance.hidden_by = (threading.Event(), until)
