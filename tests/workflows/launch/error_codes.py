"""Every error code that EC2 documents for a launch, and which call may answer it: data of `test_error_codes`.

Copied on 2026-11-21 from the EC2 API reference, "Error codes for the Amazon EC2 API", the EC2 user guide on
instant fleets and on idempotency, and Systems Manager's API reference, "Common Errors". On purpose not read from
the table in `fleet.plan.reactions`: a code that is missing there fails here.
"""

from __future__ import annotations

from dataclasses import dataclass

from fleet.errors import (
    AwsError,
    CapacityError,
    CredentialsError,
    InUseError,
    NotAuthorizedError,
    NotFoundError,
    QuotaError,
)


@dataclass(frozen=True)
class Code:
    """What is to come of a code: `reaction` in a word, the `error` where all ends, words of its `remedy`."""

    reaction: str
    error: type[AwsError]
    remedy: str


FULL = Code("next pool", CapacityError, "--wait-for-capacity")
UNFIT = Code("pool out", CapacityError, "other types or zones")
QUOTA = Code("family out", QuotaError, "fleet quota SPEC")
AGAIN = Code("again", AwsError, "run the command again in a few minutes")
UNSURE = Code("again, never another", AwsError, "the same ClientToken")
TAKEN = Code("reuse", AwsError, "another name")
HELD = Code("wait until free", InUseError, "remove what still refers to it")
PROFILE = "InvalidParameterValue"
PROFILE_WORDS = "Value (gpu) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"

CODES = {
    "InsufficientInstanceCapacity": FULL,
    "UnfulfillableCapacity": FULL,
    "ReservationCapacityExceeded": FULL,
    "Unsupported": UNFIT,
    "InvalidFleetConfiguration": UNFIT,
    "VcpuLimitExceeded": QUOTA,
    "MaxSpotInstanceCountExceeded": QUOTA,
    "InstanceLimitExceeded": QUOTA,
    "MaxFleetCountExceeded": Code("family out", QuotaError, "aws ec2 describe-fleets"),
    "SpotMaxPriceTooLow": Code("next market", CapacityError, "raise max_price"),
    "InsufficientFreeAddressesInSubnet": Code("next subnet", CapacityError, "access.subnets"),
    "InvalidAMIID.NotFound": Code("stop", NotFoundError, "Allowed AMIs"),
    "RequestLimitExceeded": AGAIN,
    "Unavailable": AGAIN,
    "ServiceUnavailable": AGAIN,
    "InternalError": UNSURE,
    "InvalidInstanceID.NotFound": Code("once known", NotFoundError, "run the command again"),
    "DependencyViolation": HELD,
    "InvalidGroup.InUse": HELD,
    "InvalidKeyPair.Duplicate": TAKEN,
    "InvalidGroup.Duplicate": TAKEN,
    "InvalidPermission.Duplicate": Code("reuse", AwsError, "look whose it is"),
    "UnauthorizedOperation": Code("stop", NotAuthorizedError, "`fleet iam policy"),
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": Code(
        "stop", AwsError, "aws iam create-service-linked-role"
    ),
    "OptInRequired": Code("stop", CredentialsError, "enable the region"),
    "PendingVerification": Code("stop", AwsError, "AWS is still checking the account"),
    "Blocked": Code("stop", AwsError, "AWS Support"),
    "IdempotentParameterMismatch": Code("new token", AwsError, "run `fleet up` again"),
    PROFILE: Code("once known", NotFoundError, "instances.profile"),
    "InvalidUserData.Malformed": Code("stop", AwsError, "16 KB"),
}

_DELETES = frozenset({"DependencyViolation", "InvalidGroup.InUse"})
_CAPACITY = frozenset(
    {"InsufficientInstanceCapacity", "UnfulfillableCapacity", "ReservationCapacityExceeded"}
)
_COMMON = frozenset(
    {
        "RequestLimitExceeded", "Unavailable", "ServiceUnavailable", "InternalError",
        "UnauthorizedOperation", "OptInRequired", "PendingVerification", "Blocked",
    }
)  # fmt: skip
"""EC2 answers them to any call."""
_STARTS = (
    _COMMON
    | _CAPACITY
    | {
        "Unsupported",
        "VcpuLimitExceeded",
        "InstanceLimitExceeded",
        "InvalidInstanceID.NotFound",
    }
)

_MAKES_ONE_THING = "only of a call that makes this very thing, or that launches"
_NOT_OF_A_START = "of what a start neither sends nor takes anew: image, user data, address, profile, a Spot request"
_NOT_OF_A_LAUNCH = "only of a call that names an instance, or makes or deletes the thing"
_NOT_OF_A_POOL = f"of the request as a whole, or {_NOT_OF_A_LAUNCH}"
_SSM_WORDS = {
    "RequestLimitExceeded": "ThrottlingException",
    "InternalError": "InternalServerError",
    "ServiceUnavailable": "ServiceUnavailable",
    "UnauthorizedOperation": "AccessDeniedException",
    "OptInRequired": "OptInRequired",
}
_NOT_OF_SSM = "a code of EC2's own; Systems Manager has another word for it, or none"


@dataclass(frozen=True)
class Call:
    """A launching call: the codes that it may answer, in its service's words, and why it answers no others."""

    codes: dict[str, str]
    why_no_others: str


def _call(codes: frozenset[str], why_no_others: str) -> Call:
    return Call({code: code for code in CODES if code in codes}, why_no_others)


_INSTANCE_OR_THING = _DELETES | {
    "InvalidInstanceID.NotFound",
    "InvalidKeyPair.Duplicate",
    "InvalidGroup.Duplicate",
    "InvalidPermission.Duplicate",
}
_TEMPLATE = _COMMON | {"IdempotentParameterMismatch", "InvalidUserData.Malformed"}

CALLS = {
    "CreateFleet": _call(frozenset(CODES) - _INSTANCE_OR_THING, _NOT_OF_A_LAUNCH),
    "CreateFleet, Errors": _call(
        frozenset(CODES) - _INSTANCE_OR_THING - {"IdempotentParameterMismatch"}, _NOT_OF_A_POOL
    ),
    "StartInstances": _call(frozenset(_STARTS), _NOT_OF_A_START),
    "CreateLaunchTemplate": _call(_TEMPLATE, _MAKES_ONE_THING),
    "CreateLaunchTemplateVersion": _call(_TEMPLATE, _MAKES_ONE_THING),
    "CreateSecurityGroup": _call(_COMMON | {"InvalidGroup.Duplicate"}, _MAKES_ONE_THING),
    "AuthorizeSecurityGroupIngress": _call(
        _COMMON | {"InvalidPermission.Duplicate"}, _MAKES_ONE_THING
    ),
    "ImportKeyPair": _call(_COMMON | {"InvalidKeyPair.Duplicate"}, _MAKES_ONE_THING),
    "CreateTags": _call(_COMMON | {"InvalidInstanceID.NotFound"}, _MAKES_ONE_THING),
    "PutParameter": Call(_SSM_WORDS, _NOT_OF_SSM),
}


def pairs(*calls: str) -> list[tuple[str, str]]:
    """Give the (call, code) pairs of these calls."""
    return [(call, code) for call in calls for code in CALLS[call].codes]
