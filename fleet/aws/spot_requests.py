"""Spot requests: their status, and their cancelling before their instances end, so that none launches another."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.facts.environment import SpotStatus

_MOST_FILTER_VALUES = 200
"""EC2's limit for one call."""


@effect("ec2:DescribeSpotInstanceRequests")
def describe_spot_statuses(aws: Aws, *, instance_ids: Sequence[str]) -> dict[str, SpotStatus]:
    """Describe the status of the Spot requests behind instances, by instance id; one call for 200 of them.

    Closed ones too: the request is closed before its instance ends where EC2 needs the capacity back.
    """
    found: dict[str, SpotStatus] = {}
    for start in range(0, len(instance_ids), _MOST_FILTER_VALUES):
        batch = list(instance_ids[start : start + _MOST_FILTER_VALUES])
        pages = aws.ec2.get_paginator("describe_spot_instance_requests").paginate(
            Filters=[{"Name": "instance-id", "Values": batch}], PaginationConfig={"PageSize": 1000}
        )
        for page in pages:
            for one in page["SpotInstanceRequests"]:
                status = one.get("Status", {})
                found[one.get("InstanceId", "")] = SpotStatus(
                    status.get("Code", ""), status.get("UpdateTime")
                )
    return found


@effect("ec2:CancelSpotInstanceRequests")
def cancel_spot_requests(aws: Aws, *, request_ids: Sequence[str]) -> None:
    """Cancel Spot requests in one call; their instances go on running."""
    aws.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=list(request_ids))
