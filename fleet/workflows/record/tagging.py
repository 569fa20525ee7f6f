"""Tags an instance: at EC2's own rate, and once EC2 knows it."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.aws.instances import tag_instance
from fleet.plan.facts.environment import InstanceFact
from fleet.workflows.context import Context
from fleet.workflows.retrying import once_known


def put_tags(context: Context, instance: InstanceFact, values: Mapping[str, str]) -> None:
    """Put tags on an instance. Raises AwsError."""
    context.tagging.take(context.sleep)
    instance_id = instance.instance_id
    once_known(context, lambda: tag_instance(context.aws, instance_id=instance_id, tags=values))
