"""Service Quotas of EC2: what the account may run, what runs, and requests for more. All in vCPUs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.instance_types import describe_instance_types
from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.quotas import QuotaRequest

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import InstanceTypeDef
    from mypy_boto3_service_quotas.type_defs import RequestedServiceQuotaChangeTypeDef

_SERVICE = "ec2"
_OPEN = frozenset({"PENDING", "CASE_OPENED"})


@effect("servicequotas:GetServiceQuota", "servicequotas:GetAWSDefaultServiceQuota")
def describe_quota(aws: Aws, *, code: str) -> int | None:
    """Give the applied quota, else AWS's default; None where the account has no such quota."""
    client = aws.service_quotas
    missing = client.exceptions.NoSuchResourceException
    try:
        answer = client.get_service_quota(ServiceCode=_SERVICE, QuotaCode=code)
    except missing:
        pass
    else:
        return int(answer["Quota"]["Value"])
    try:
        default = client.get_aws_default_service_quota(ServiceCode=_SERVICE, QuotaCode=code)
    except missing:
        return None
    return int(default["Quota"]["Value"])


@effect("ec2:DescribeInstances", "ec2:DescribeInstanceTypes")
def describe_vcpus_in_use(aws: Aws) -> Mapping[tuple[str, Market], int]:
    """Sum the vCPUs of everything that runs or is about to in the region, anybody's, by type and market."""
    pages = aws.ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": ["running", "pending"]}],
        PaginationConfig={"PageSize": 1000},
    )
    running = [
        instance
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    ]
    unsaid = {str(i["InstanceType"]) for i in running if vcpus_said(i) is None}
    types = describe_instance_types(aws, names=sorted(unsaid)) if unsaid else {}
    used: Counter[tuple[str, Market]] = Counter()
    for instance in running:
        name, said = str(instance["InstanceType"]), vcpus_said(instance)
        market: Market = "spot" if instance.get("InstanceLifecycle") == "spot" else "on-demand"
        used[name, market] += said if said is not None else types[name].vcpus
    return dict(used)


def vcpus_said(instance: InstanceTypeDef) -> int | None:
    """Give the vCPUs that the answer itself says (cores x threads), None where it is silent."""
    options = instance.get("CpuOptions", {})
    if "CoreCount" not in options or "ThreadsPerCore" not in options:
        return None
    return options["CoreCount"] * options["ThreadsPerCore"]


@effect("servicequotas:ListRequestedServiceQuotaChangeHistoryByQuota")
def describe_open_request(aws: Aws, *, code: str) -> QuotaRequest | None:
    """Give the request for a quota that AWS has not answered yet; it takes one at a time."""
    pages = aws.service_quotas.get_paginator(
        "list_requested_service_quota_change_history_by_quota"
    ).paginate(ServiceCode=_SERVICE, QuotaCode=code)
    for page in pages:
        for request in page["RequestedQuotas"]:
            if request.get("Status") in _OPEN:
                return _request(request)
    return None


@effect("servicequotas:RequestServiceQuotaIncrease")
def request_quota(aws: Aws, *, code: str, value: int) -> QuotaRequest:
    """Ask AWS for a quota of so many vCPUs."""
    answer = aws.service_quotas.request_service_quota_increase(
        ServiceCode=_SERVICE, QuotaCode=code, DesiredValue=value
    )
    return _request(answer["RequestedQuota"])


def _request(answer: RequestedServiceQuotaChangeTypeDef) -> QuotaRequest:
    return QuotaRequest(
        request_id=answer.get("Id", ""),
        code=answer.get("QuotaCode", ""),
        value=int(answer.get("DesiredValue", 0)),
        status=answer.get("Status", ""),
        created_at=answer.get("Created"),
    )
