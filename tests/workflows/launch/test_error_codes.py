"""Every error code of a launch at every launching call: the stated reaction, its words, and nothing left over."""

from __future__ import annotations

import pytest

from fleet.errors import FleetError, NotAuthorizedError
from fleet.plan.launch.plan import Plan
from tests.workflows.launch.error_codes import CALLS, CODES, PROFILE, PROFILE_WORDS, pairs
from tests.workflows.launch_bench import NOTHING, BakeEnvironment, bench, once

pytestmark = pytest.mark.slow

__all__ = ["bench", "once"]

SENDINGS = {"again": 6, "again, never another": 6, "once known": 6, "new token": 5}
"""How often one CreateFleet is sent that is always answered so; once for every other reaction."""
ASKINGS = {"again": 5, "again, never another": 5, "once known": 5}
"""The same for a code within its answer."""
OF_BOTO3 = 5
PASSING = ["RequestLimitExceeded", "Unavailable", "ServiceUnavailable", "InternalError"]


def words(code: str) -> str:
    """What EC2 says besides the code."""
    return PROFILE_WORDS if code == PROFILE else f"EC2's own words about {code}"


def inject(bench: BakeEnvironment, call: str, code: str, **conditions: object) -> None:
    bench.inject(call, CALLS[call].codes[code], message=words(code), **conditions)


def check(error: FleetError, call: str, code: str) -> None:
    """The error is the code's, in EC2's own words, with what to do."""
    known = CODES[code]
    assert isinstance(error, known.error), repr(error)
    check_words(str(error), call, code)
    if known.error is not NotAuthorizedError:
        assert known.remedy in error.remedy


def check_words(text: str, call: str, code: str) -> None:
    known = CODES[code]
    assert CALLS[call].codes[code] in text
    if known.error is NotAuthorizedError and call != "CreateFleet, Errors":
        assert f"may not call {call}" in text  # such words of EC2 say no more than that
        assert "`fleet iam policy" in text
    else:
        assert words(code) in text or known.reaction == "reuse"
        assert known.remedy in text


def test_the_matrix_is_whole() -> None:
    """No pair is left out without a reason."""
    for call in CALLS.values():
        assert call.codes.keys() <= CODES.keys()
        assert call.why_no_others
    by_any = {code for call in CALLS.values() for code in call.codes}
    assert CODES.keys() - by_any == {"DependencyViolation", "InvalidGroup.InUse"}  # of teardown
    assert sum(len(call.codes) for call in CALLS.values()) >= 120


@pytest.mark.parametrize(("call", "code"), pairs("CreateFleet"))
def test_a_launch_that_is_always_refused(bench: BakeEnvironment, call: str, code: str) -> None:
    """It is told, and nothing is left, unless it may have taken effect unheard: then the next run finds out."""
    inject(bench, call, code)
    reaction = CODES[code].reaction
    unsure = reaction == "again, never another"
    check(bench.refused() if unsure else bench.leaves_nothing(), call, code)
    assert bench.request(call) == SENDINGS.get(reaction, 1)
    assert "instances" not in bench.left()
    if unsure:
        bench.served.cloud.faults.clear()
        bench.arrives()


@pytest.mark.parametrize(("call", "code"), pairs("CreateFleet, Errors"))
def test_a_launch_that_every_pool_refuses(bench: BakeEnvironment, call: str, code: str) -> None:
    inject(bench, call, code)
    check(bench.leaves_nothing(), call, code)
    assert bench.request("CreateFleet") == ASKINGS.get(CODES[code].reaction, 1)


@pytest.mark.parametrize(("call", "code"), pairs("CreateFleet, Errors"))
def test_a_launch_that_spot_refuses_goes_on_or_stops(
    bench: BakeEnvironment, call: str, code: str
) -> None:
    """Next market: what another one can help against is told and got over; the rest stops at the first word."""
    plan = bench.new_plan(instances="{types: [g5.xlarge], market: spot-first}")
    inject(bench, call, code, market="spot")
    if CODES[code].reaction == "stop":
        check(bench.refused(plan), call, code)
        assert bench.request("CreateFleet") == 1
        return
    bench.arrives(plan)
    (instance,) = bench.live()
    assert instance.market == "on-demand"
    assert bench.told(f"{code}: {words(code)}")


@pytest.mark.parametrize("code", ["InsufficientInstanceCapacity", "Unsupported"])
def test_next_pool_and_next_type(bench: BakeEnvironment, code: str) -> None:
    first = bench.plan.pools[0].availability_zone
    inject(bench, "CreateFleet, Errors", code, zone=first)
    assert bench.arrives().environments[0].availability_zone != first
    bench.served.cloud.faults.clear()
    assert bench.down() == NOTHING
    inject(bench, "CreateFleet, Errors", code, type="g5.xlarge")
    assert type_after(bench, "g4dn.xlarge") == "g4dn.xlarge"
    assert bench.told(f"g5.xlarge in {first}") or bench.told(first)


def test_a_quota_names_its_code_and_the_next_family_is_tried(bench: BakeEnvironment) -> None:
    inject(bench, "CreateFleet, Errors", "VcpuLimitExceeded", type="g5.xlarge")
    assert type_after(bench, "p4d.24xlarge") == "p4d.24xlarge"
    assert bench.told("(quota L-DB2E81BA of G and VT)")


def type_after(bench: BakeEnvironment, types: str) -> str:
    """Bring up one environment of g5.xlarge, else of these types; gives what came."""
    plan = bench.new_plan(instances=f"{{types: [g5.xlarge, {types}]}}")
    return str(bench.arrives(plan).environments[0].instance_type)


MAKING = [
    "CreateLaunchTemplate", "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "ImportKeyPair",
    "PutParameter",
]  # fmt: skip


@pytest.mark.parametrize(("call", "code"), pairs(*MAKING))
def test_what_a_launch_needs_cannot_be_made(bench: BakeEnvironment, call: str, code: str) -> None:
    """For good: told in one line, what passes after boto3's tries, and what was made before is gone."""
    inject(bench, call, code)
    if code == "InvalidPermission.Duplicate":
        bench.arrives()  # what is to be there is there
        return
    error = bench.leaves_nothing()
    if code == "IdempotentParameterMismatch" or CODES[code].reaction != "reuse":
        check(error, call, code)
    else:
        assert "is there already, and was not made for this fleet" in error.message
        check_words(str(error), call, code)
    tries = OF_BOTO3 if code in PASSING else 1
    assert bench.request(call) == tries


def test_what_passes_is_got_over_wherever_it_meets_a_launch(bench: BakeEnvironment) -> None:
    """Each such code once at every launching call of one launch."""
    for code in PASSING:
        for call in ("CreateFleet", "CreateFleet, Errors", "CreateTags", *MAKING):
            if code in CALLS[call].codes:
                inject(bench, call, code, calls=1)
        bench.arrives()
        assert not bench.told("is broken")
        bench.served.cloud.faults.clear()
        assert bench.down() == NOTHING


@pytest.mark.parametrize("code", CALLS["CreateTags"].codes)
def test_an_instance_that_cannot_be_tagged_is_told(bench: BakeEnvironment, code: str) -> None:
    """It runs: so it is named with its reason, and the next run gives it to the member."""
    inject(bench, "CreateTags", code)
    (environment,) = bench.arrives().environments
    assert environment.state == "failed"
    check_words(environment.reason, "CreateTags", code)
    assert bench.request("CreateTags") >= (OF_BOTO3 if code in PASSING else 1)
    bench.served.cloud.faults.clear()
    assert bench.arrives().environments[0].instance_id == environment.instance_id


def test_a_new_version_of_the_template_that_cannot_be_made(bench: BakeEnvironment) -> None:
    """What stands goes on, and nothing is taken away."""
    first = bench.arrives()
    grown = bench.new_plan(members="[ana, ben]", volume="150GiB")
    call = "CreateLaunchTemplateVersion"
    for code in CALLS[call].codes:
        bench.served.cloud.hooks.restart()
        inject(bench, call, code)
        check(bench.refused(grown), call, code)
        assert bench.request(call) == (OF_BOTO3 if code in PASSING else 1)
        assert bench.left().count("instances") == 1
        bench.served.cloud.faults.clear()
    report = bench.up(grown)
    assert report.environments[0].instance_id == first.environments[0].instance_id
    assert bench.left().count("instances") == 2


def stopped(bench: BakeEnvironment) -> Plan:
    """Bring a fleet of two up and stop both; gives the plan that starts them again."""
    bench.up(bench.new_plan(members="[ana, ben]", expires="never"))
    ids = [i.instance_id for i in bench.live()]
    bench.served.ec2.stop_instances(InstanceIds=ids)
    bench.served.ec2.get_waiter("instance_stopped").wait(
        InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    plan = bench.new_plan(members="[ana, ben]", expires="never")
    assert len(plan.members.start) == 2
    return plan


def test_starting_what_is_stopped(bench: BakeEnvironment) -> None:
    """Each code at StartInstances: what helps nowhere ends the run, all else is told of each instance."""
    plan = stopped(bench)
    for code in CALLS["StartInstances"].codes:
        inject(bench, "StartInstances", code)
        if CODES[code].reaction == "stop":
            check(bench.refused(plan), "StartInstances", code)
        else:
            report = bench.up(plan)
            assert [e.state for e in report.environments] == ["failed", "failed"]
            for environment in report.environments:
                assert environment.reason.startswith("still stopped: ")
                check_words(environment.reason, "StartInstances", code)
        bench.served.cloud.faults.clear()
        assert bench.left().count("instances") == 2
    # Two refusals, of both together and of the first alone, leave one stopped; one of throttling passes.
    inject(bench, "StartInstances", "InsufficientInstanceCapacity", calls=2)
    report = bench.up(plan)
    assert ["still stopped" in e.reason for e in report.environments] == [True, False]
    plan = bench.new_plan(members="[ana, ben]", expires="never")
    assert [a.member.name for a in plan.members.start] == ["ana"]
    inject(bench, "StartInstances", "RequestLimitExceeded", calls=1)
    report = bench.up(plan)
    assert not any("still stopped" in e.reason for e in report.environments)
