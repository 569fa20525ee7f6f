"""Faults of instances: invisible, dead before or after the launch, taken back by EC2."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fleet.errors import UsageError
from tests.sandbox.cloud.asking import (
    create_fleet,
    instances,
    launched,
    overrides,
    refused,
    states,
    template,
)
from tests.sandbox.cloud.recording import eventually

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def launch(served: Served, count: int = 1, *, market: str = "on-demand") -> list[str]:
    zones = overrides(served, ["g5.xlarge"], "a")
    return launched(create_fleet(served, template(served), zones, count, market))


def name_members(served: Served, ids: list[str], *members: str) -> None:
    for instance_id, member in zip(ids, members, strict=True):
        served.ec2.create_tags(
            Resources=[instance_id], Tags=[{"Key": "fleet:member", "Value": member}]
        )


def state_of(served: Served, instance_id: str) -> Any:
    found = served.ec2.describe_instances(InstanceIds=[instance_id])
    return found["Reservations"][0]["Instances"][0]


def reached(served: Served, instance_id: str, state: str) -> Any:
    return eventually(
        lambda: state_of(served, instance_id), lambda found: found["State"]["Name"] == state
    )


def test_a_new_instance_is_not_seen_at_first(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = datetime.now(UTC)
    now = began
    monkeypatch.setattr(served.cloud.state, "now", lambda: now)
    fault = served.cloud.faults.add("invisible", delay="20s", instances=1)
    hidden, seen = launch(served, 2)
    assert [i["InstanceId"] for i in instances(served)] == [seen]
    describe = served.ec2.describe_instances
    said = refused("InvalidInstanceID.NotFound", describe, InstanceIds=[seen, hidden])
    assert said == f"The instance ID '{hidden}' does not exist"
    for call in (served.ec2.terminate_instances, served.ec2.describe_instance_status):
        refused("InvalidInstanceID.NotFound", call, InstanceIds=[hidden])
    tags = [{"Key": "a", "Value": "b"}]
    refused("InvalidInstanceID.NotFound", served.ec2.create_tags, Resources=[hidden], Tags=tags)
    now = began + timedelta(seconds=20)
    assert {i["InstanceId"] for i in instances(served)} == {hidden, seen}
    assert fault.hits == 1


def test_deleting_the_fleet_ends_what_nobody_sees(served: Served) -> None:
    served.cloud.faults.add("invisible", delay="1h")
    launch(served, 2)
    assert instances(served) == []
    (fleet,) = served.cloud.faults._regions()[0].instant_fleets
    served.ec2.delete_fleets(FleetIds=[fleet], TerminateInstances=True)
    served.cloud.faults.clear()
    eventually(lambda: states(served), lambda found: found == {"terminated"})


def test_an_instance_dies_while_pending(served: Served) -> None:
    fault = served.cloud.faults.add("dies-pending", instances=1)
    ids = launch(served, 3)
    eventually(lambda: states(served), lambda found: found == {"running", "terminated"})
    (dead,) = [i for i in instances(served) if i["State"]["Name"] == "terminated"]
    assert dead["StateReason"] == {
        "Code": "Server.InternalError",
        "Message": "Server.InternalError: Internal error on launch",
    }
    assert dead["StateTransitionReason"].startswith("Service initiated (")
    assert (fault.hits, fault.left) == (1, 0)
    assert served.driver.of(dead["InstanceId"]) == []
    assert len(ids) == 3


def test_the_reason_can_be_another(served: Served) -> None:
    served.cloud.faults.add("dies-pending", code="Client.VolumeLimitExceeded")
    (one,) = launch(served)
    reason = reached(served, one, "terminated")["StateReason"]
    assert reason["Message"] == "Client.VolumeLimitExceeded: Volume limit exceeded"


def test_a_host_that_never_boots(served: Served) -> None:
    fault = served.cloud.faults.add("never-boots", fleet="course", instances=1)
    ids = launch(served, 2)
    eventually(lambda: states(served), lambda found: found == {"running"})
    (booted,) = eventually(lambda: list(served.driver.booted), bool)
    (dead,) = set(ids) - {booted}
    statuses = served.ec2.describe_instance_status()["InstanceStatuses"]
    told = {s["InstanceId"]: s["InstanceStatus"]["Status"] for s in statuses}
    assert told == {booted: "ok", dead: "impaired"}
    assert served.driver.of(dead) == []
    assert fault.hits == 1


def test_faults_of_another_fleet_leave_this_one_alone(served: Served) -> None:
    fault = served.cloud.faults.add("never-boots", fleet="workshop")
    (one,) = launch(served)
    eventually(lambda: served.driver.of(one), lambda found: found == ["boot"])
    assert fault.hits == 0


def test_a_host_that_never_boots_can_be_terminated(served: Served) -> None:
    served.cloud.faults.add("never-boots")
    (one,) = launch(served)
    reached(served, one, "running")
    served.ec2.reboot_instances(InstanceIds=[one])
    served.ec2.terminate_instances(InstanceIds=[one])
    reached(served, one, "terminated")
    assert served.driver.of(one) == []


def test_a_spot_interruption_comes_with_its_notice(served: Served) -> None:
    ana, ben = launch(served, 2, market="spot")
    name_members(served, [ana, ben], "ana", "ben")
    eventually(lambda: states(served), lambda found: found == {"running"})
    fault = served.cloud.faults.add("spot-interruption", member="ana", notice="300ms")
    notice = served.cloud.state.spot_notices[ana].document
    assert notice["action"] == "terminate"
    assert datetime.fromisoformat(notice["time"]).tzinfo == UTC
    assert served.cloud.faults.describe(fault)["interrupts"] == {ana: notice}
    gone = reached(served, ana, "terminated")
    assert gone["StateReason"] == {
        "Code": "Server.SpotInstanceTermination",
        "Message": "Server.SpotInstanceTermination: Spot instance termination",
    }
    assert state_of(served, ben)["State"]["Name"] == "running"
    assert served.driver.of(ana) == ["boot", "destroy"]
    assert served.cloud.state.spot_notices == {}
    assert fault.hits == 1


def test_the_notice_is_two_minutes_and_can_be_called_off(served: Served) -> None:
    (one,) = launch(served, market="spot")
    reached(served, one, "running")
    before = datetime.now(UTC)
    fault = served.cloud.faults.add("spot-interruption", instance_id=one)
    late = served.cloud.state.spot_notices[one].when - before
    assert timedelta(seconds=119) < late < timedelta(seconds=125)
    served.cloud.faults.clear(fault.id)
    assert served.cloud.state.spot_notices == {}


def request_of(served: Served, instance_id: str) -> Any:
    by_instance = [{"Name": "instance-id", "Values": [instance_id]}]
    (found,) = served.ec2.describe_spot_instance_requests(Filters=by_instance)[  # type: ignore[arg-type]
        "SpotInstanceRequests"
    ]
    return found


@pytest.mark.parametrize(
    ("cause", "state", "during", "after"),
    [
        (
            "capacity",
            "closed",
            "instance-terminated-no-capacity",
            "instance-terminated-no-capacity",
        ),
        ("price", "active", "marked-for-termination", "instance-terminated-by-price"),
    ],
)
def test_the_status_of_the_spot_request_tells_it(
    served: Served, cause: str, state: str, during: str, after: str
) -> None:
    (one,) = launch(served, market="spot")
    reached(served, one, "running")
    assert request_of(served, one)["Status"]["Code"] == "fulfilled"
    before = datetime.now(UTC)
    served.cloud.faults.add("spot-interruption", notice="700ms", cause=cause)
    told = request_of(served, one)
    assert (told["State"], told["Status"]["Code"]) == (state, during)
    assert abs(told["Status"]["UpdateTime"] - before) < timedelta(seconds=5)
    assert state_of(served, one)["State"]["Name"] == "running"
    reached(served, one, "terminated")
    told = request_of(served, one)
    assert (told["State"], told["Status"]["Code"]) == ("closed", after)


def test_who_ends_a_noticed_instance_takes_the_notice_away(served: Served) -> None:
    (one,) = launch(served, market="spot")
    reached(served, one, "running")
    served.cloud.faults.add("spot-rebalance")
    served.cloud.faults.add("spot-interruption")
    served.ec2.terminate_instances(InstanceIds=[one])
    state = served.cloud.state
    assert (state.spot_notices, state.rebalance_notices) == ({}, {})
    reached(served, one, "terminated")
    assert request_of(served, one)["Status"]["Code"] == "instance-terminated-by-user"


def test_a_rebalance_recommendation_is_seen_by_the_instance_alone(served: Served) -> None:
    ana, ben = launch(served, 2, market="spot")
    name_members(served, [ana, ben], "ana", "ben")
    eventually(lambda: states(served), lambda found: found == {"running"})
    fault = served.cloud.faults.add("spot-rebalance", member="ana")
    told, other = (
        served.cloud.instance_metadata(state_of(served, i)["PrivateIpAddress"]) for i in (ana, ben)
    )
    assert told is not None
    assert other is not None
    assert datetime.fromisoformat(told.rebalance["noticeTime"]).tzinfo == UTC
    assert (told.notice, other.rebalance) == ({}, {})
    assert request_of(served, ana)["Status"]["Code"] == "fulfilled"
    served.cloud.faults.clear(fault.id)
    assert served.cloud.state.rebalance_notices == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"member": "nobody"}, "no running instance is like --member nobody: see `fleet ls`"),
        ({"instance_id": "i-0123456789abcdef0"}, "no running instance is like --instance-id i-0"),
        ({}, " is On-Demand: EC2 interrupts only Spot Instances: launch with --market spot"),
    ],
)
def test_nobody_to_interrupt(served: Served, options: dict[str, str], said: str) -> None:
    launch(served)
    with pytest.raises(UsageError) as caught:
        served.cloud.faults.add("spot-interruption", **options)
    assert said in str(caught.value)
    assert served.cloud.faults.all() == []
