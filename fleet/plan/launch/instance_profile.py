"""Holds the instance profile that a spec names against what IAM knows. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from fleet.errors import NotFoundError
from fleet.plan.facts.launch import ProfileFact
from fleet.spec.model import FleetSpec


def profile_name(profile: str) -> str:
    """Give the name of an instance profile that is written by name or ARN."""
    return profile.rpartition("/")[2]


def require_profile(wanted: str | None, found: ProfileFact) -> None:
    """Refuse a profile that IAM does not know. What cannot be read stops nothing: EC2 itself refuses it."""
    if wanted is None or found.unread or found.arn == wanted:
        return
    if not found.arn:
        raise NotFoundError(
            f"instances.profile: there is no instance profile {profile_name(wanted)}",
            remedy="correct it; `aws iam list-instance-profiles` lists them",
        )
    if wanted.startswith("arn:"):
        raise NotFoundError(
            f"instances.profile: {wanted} is not there", remedy=f"did you mean {found.arn}?"
        )


def profile_warnings(spec: FleetSpec, found: ProfileFact) -> Iterator[str]:
    """Say what a profile is needed for, and where it could not be looked at."""
    via = spec.access.via
    if found.unread:
        yield f"the instance profile could not be looked at: {found.unread}"
    if via is not None and via.through == "ssm" and spec.instances.profile is None:
        yield (
            "access.via: ssm needs an instance profile with AmazonSSMManagedInstanceCore under "
            "instances.profile, unless the account has Default Host Management"
        )
