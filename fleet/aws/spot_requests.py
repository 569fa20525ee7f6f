"""Spot requests: cancelled before their instances end, so that none launches another."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect


@effect("ec2:CancelSpotInstanceRequests")
def cancel_spot_requests(aws: Aws, *, request_ids: Sequence[str]) -> None:
    """Cancel Spot requests in one call; their instances go on running."""
    aws.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=list(request_ids))
