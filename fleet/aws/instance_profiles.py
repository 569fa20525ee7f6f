"""IAM instance profiles, which instances are launched with."""

from __future__ import annotations

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.facts.launch import ProfileFact


@effect("iam:GetInstanceProfile")
def describe_instance_profile(aws: Aws, *, name: str) -> ProfileFact:
    """Describe an instance profile; one that is not there has no ARN."""
    try:
        answer = aws.iam.get_instance_profile(InstanceProfileName=name)
    except aws.iam.exceptions.NoSuchEntityException:
        return ProfileFact()
    return ProfileFact(answer["InstanceProfile"]["Arn"])
