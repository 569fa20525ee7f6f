"""Describes a fleet's instances with what EC2 says of their near end. Changes nothing."""

from __future__ import annotations

from dataclasses import replace

from fleet.aws.clients import Aws
from fleet.aws.instances import describe_instances
from fleet.aws.spot_requests import describe_spot_statuses
from fleet.plan.facts.environment import InstanceFact


def fleet_instances(aws: Aws, fleet: str) -> tuple[InstanceFact, ...]:
    """Describe a fleet's instances in every state; those of Spot that live with the status of their request."""
    found = describe_instances(aws, fleet=fleet)
    spot = [one.instance_id for one in found if one.market == "spot" and one.live]
    if not spot:
        return found
    statuses = describe_spot_statuses(aws, instance_ids=spot)
    return tuple(replace(one, spot_status=statuses.get(one.instance_id)) for one in found)
