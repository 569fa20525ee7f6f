"""Quotas, vCPUs in use and requests, against a served cloud; and `up` over a quota that is too small."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from fleet.aws.quotas import (
    describe_open_request,
    describe_quota,
    describe_vcpus_in_use,
    request_quota,
    vcpus_said,
)
from fleet.errors import AwsError, FleetError, NotAuthorizedError, NotFoundError, QuotaError
from fleet.sandbox.cloud.documents import ApiError
from fleet.workflows.hardware.quotas import count_spec, count_types, request_more
from tests.workflows.conftest import World, spec

pytestmark = pytest.mark.slow

G = "L-DB2E81BA"


@pytest.fixture
def denied(world: World) -> Iterator[Callable[[str], None]]:
    """Deny an action to everybody."""
    checks = world.served.cloud.gate.checks
    before = list(checks)

    def deny(action: str) -> None:
        error = ApiError("AccessDeniedException", "no")
        checks.append(lambda call: error if call.action == action else None)

    yield deny
    checks[:] = before


def run(world: World, count: int) -> list[str]:
    image = world.plan().image.image_id
    made = world.served.ec2.run_instances(
        ImageId=image, InstanceType="g5.xlarge", MinCount=count, MaxCount=count
    )
    return [instance["InstanceId"] for instance in made["Instances"]]


def test_the_applied_quota_counts(world: World) -> None:
    aws = world.context.aws
    assert describe_quota(aws, code=G) == 512
    world.served.cloud.state.quotas.put(G, 80, region="us-east-1")
    assert describe_quota(aws, code=G) == 80
    assert describe_quota(aws, code="L-00000000") is None
    world.served.cloud.state.quotas.clear()


def test_foreign_instances_count_and_ended_ones_do_not(world: World) -> None:
    assert describe_vcpus_in_use(world.context.aws) == {}
    first, *_ = run(world, 3)
    assert describe_vcpus_in_use(world.context.aws) == {("g5.xlarge", "on-demand"): 12}
    world.served.ec2.terminate_instances(InstanceIds=[first])
    assert describe_vcpus_in_use(world.context.aws) == {("g5.xlarge", "on-demand"): 8}


def test_ec2_says_how_many_vcpus_an_instance_has() -> None:
    assert vcpus_said({"CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2}}) == 4
    assert vcpus_said({}) is None


def test_a_request_is_filed_once(world: World) -> None:
    aws = world.context.aws
    assert describe_open_request(aws, code=G) is None
    made = request_quota(aws, code=G, value=600)
    assert (made.code, made.value, made.status) == (G, 600, "PENDING")
    assert describe_open_request(aws, code=G) == made
    with pytest.raises(AwsError):
        request_quota(aws, code=G, value=700)


def test_counting_for_a_spec_and_for_types(world: World) -> None:
    world.served.cloud.state.quotas.put(G, 80, region="us-east-1")
    run(world, 4)
    answer = count_types(world.context, ["g5.xlarge"], markets=["on-demand"], count=20)
    lacking = answer.report.lacking
    assert lacking is not None
    assert (lacking.code, lacking.missing, lacking.value) == (G, 16, 96)
    assert answer.open_request is None
    request = request_more(world.context, lacking)
    assert count_spec(world.context, spec(members="[ana]")).report.fits
    again = count_types(world.context, ["g5.xlarge"], markets=["on-demand"], count=20)
    assert again.open_request == request
    with pytest.raises(NotFoundError, match=r"g5\.huge"):
        count_types(world.context, ["g5.huge"], markets=["on-demand"], count=1)
    world.served.cloud.state.quotas.clear()


def test_up_over_its_quota_launches_and_makes_nothing(world: World) -> None:
    world.served.cloud.state.quotas.put(G, 8, region="us-east-1")
    with pytest.raises(QuotaError, match=f"{G}.*4 missing"):
        world.plan()
    assert world.states() == []
    assert world.served.ec2.describe_key_pairs()["KeyPairs"] == []
    assert world.served.ec2.describe_launch_templates()["LaunchTemplates"] == []
    world.served.cloud.state.quotas.clear()


def test_a_spec_is_counted_for_what_a_plan_would_launch(world: World) -> None:
    types = "types: [g5.12xlarge, g5.xlarge]"
    whole = count_spec(world.context, spec(instances=f"{{{types}}}")).report
    assert [check.instance_types for check in whole.checks] == [("g5.12xlarge",), ("g5.xlarge",)]
    capped = count_spec(world.context, spec(instances=f"{{{types}, max_price: 2}}")).report
    assert [check.instance_types for check in capped.checks] == [("g5.xlarge",)]
    there = count_spec(world.context, spec(instances="{types: [p5e.48xlarge, g5.xlarge]}")).report
    assert [check.instance_types for check in there.checks] == [("g5.xlarge",)]
    with pytest.raises(NotFoundError, match=r"p5e\.48xlarge: not offered in us-east-1"):
        count_spec(world.context, spec(instances="{types: [p5e.48xlarge]}"))
    with pytest.raises(FleetError, match=r"max_price 0\.1 is below"):
        count_spec(world.context, spec(instances=f"{{{types}, max_price: 0.1}}"))


def test_quotas_that_may_not_be_read_are_one_error(
    world: World, denied: Callable[[str], None]
) -> None:
    denied("GetServiceQuota")
    with pytest.raises(NotAuthorizedError, match="may not call GetServiceQuota") as caught:
        count_types(world.context, ["g5.xlarge"], markets=["on-demand"], count=1)
    assert "\n" not in str(caught.value)
    plan = world.plan()
    assert plan.quotas.fits
    assert plan.quotas.unchecked == (f"quotas were not checked: {caught.value.message}",)
    assert plan.quotas.unchecked[0] in plan.warnings


def test_open_requests_that_may_not_be_read_leave_the_count(
    world: World, denied: Callable[[str], None]
) -> None:
    denied("ListRequestedServiceQuotaChangeHistoryByQuota")
    world.served.cloud.state.quotas.put(G, 0, region="us-east-1")
    answer = count_types(world.context, ["g5.xlarge"], markets=["on-demand"], count=1)
    assert (answer.report.fits, answer.open_request) == (False, None)
    assert answer.report.unchecked[0].startswith("whether a request is open is not known: ")
    world.served.cloud.state.quotas.clear()
