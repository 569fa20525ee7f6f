"""What to do about each error code that a launch may meet: one table, in one place. Pure.

Codes and meanings: EC2 API reference, "Error codes for the Amazon EC2 API", and for an instant fleet's
`Errors` the EC2 user guide; grouped as Karpenter's provider groups them. Collected 2026-11-21.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fleet.errors import (
    AwsError,
    CapacityError,
    CredentialsError,
    InUseError,
    NotAuthorizedError,
    NotFoundError,
    QuotaError,
)
from fleet.plan.facts.hardware import Market

Kind = Literal[
    "full", "unfit", "quota", "price", "subnet", "again", "unsure", "settling", "token", "taken", "held", "stop",
]  # fmt: skip
"""What a refusal means for the rest of a launch:

full      the pool has none at the moment: the next pool, and this one again when the user waits for capacity
unfit     the pool can never serve this request: left out for this run
quota     the account may not have more of this family in this market: all its pools are left out
price     the price cap is below the Spot price: the pool is left out, another market may do
subnet    no free address: another subnet of the zone, else the pool is left out
again     AWS did not get to it: the same request once more, with the same ClientToken
unsure    AWS failed at it, and it may have taken effect: the same, and never another request in its place
settling  something made a moment ago is not known everywhere yet: the same, for a short while
token     the ClientToken was used for another request: a new one
taken     the name or the rule is there already: used, where it proves to be the fleet's own
held      something still refers to what is to be deleted: waited for
stop      nothing that a launch can try helps
"""


@dataclass(frozen=True)
class Reaction:
    """What a code means: `then` tells what happens next, `remedy` what to do where all ends, by an `error`.

    `quota_of` is the market whose vCPU quota refuses.
    """

    kind: Kind
    then: str
    remedy: str
    error: type[AwsError] = AwsError
    quota_of: Market | None = None


def _stop(remedy: str, error: type[AwsError] = AwsError) -> Reaction:
    return Reaction("stop", remedy, remedy, error)


_OUT = "left out from here on"
_AGAIN = "the same request is sent again"
_LATER = "run the command again in a few minutes"
FULL = Reaction(
    "full",
    "the next pool is tried",
    "name more types, take another market or region, or --wait-for-capacity 30m",
    CapacityError,
)
_UNFIT = Reaction("unfit", _OUT, "name other types or zones: waiting does not help", CapacityError)


def _quota(market: Market | None) -> Reaction:
    return Reaction(
        "quota",
        "its family is left out: `fleet quota` shows what is missing, `--request` asks for it",
        "`fleet quota SPEC` shows the quota's code and what is missing, `--request` asks for it",
        QuotaError,
        quota_of=market,
    )


_PRICE = "raise max_price, or let market: spot-first go on to On-Demand"
_TRY_AGAIN = Reaction("again", _AGAIN, _LATER)
_UNSURE = Reaction(
    "unsure", _AGAIN, f"{_LATER}: it asks under the same ClientToken, and learns what came"
)
_SETTLING = Reaction("settling", _AGAIN, f"{_LATER}; what is unknown still is gone", NotFoundError)
_TAKEN = Reaction("taken", _OUT, "run the command again; if it stays so, look whose it is")
_HELD = Reaction("held", _OUT, "remove what still refers to it", InUseError)
_DENIED = _stop(
    "ask for the permission: `fleet iam policy --command up` prints all that is needed",
    NotAuthorizedError,
)

REACTIONS: dict[str, Reaction] = {
    "InsufficientInstanceCapacity": FULL,
    "InsufficientHostCapacity": FULL,
    "InsufficientCapacity": FULL,
    "UnfulfillableCapacity": FULL,
    "ReservationCapacityExceeded": FULL,
    "Unsupported": _UNFIT,
    "InvalidFleetConfiguration": _UNFIT,
    "InvalidFleetConfig": _UNFIT,
    "VcpuLimitExceeded": _quota("on-demand"),
    "MaxSpotInstanceCountExceeded": _quota("spot"),
    "InstanceLimitExceeded": _quota("on-demand"),
    "MaxFleetCountExceeded": Reaction(
        "quota",
        _OUT,
        "delete EC2 Fleets that nobody needs (`aws ec2 describe-fleets`), or ask AWS Support for more of them",
        QuotaError,
    ),
    "SpotMaxPriceTooLow": Reaction("price", _PRICE, _PRICE, CapacityError),
    "InsufficientFreeAddressesInSubnet": Reaction(
        "subnet",
        "another subnet is tried (stopped instances hold addresses)",
        "name larger or more subnets under access.subnets (stopped instances hold addresses)",
        CapacityError,
    ),
    "RequestLimitExceeded": _TRY_AGAIN,
    "Throttling": _TRY_AGAIN,
    "ThrottlingException": _TRY_AGAIN,
    "Unavailable": _TRY_AGAIN,
    "ServiceUnavailable": _TRY_AGAIN,
    "InternalError": _UNSURE,
    "InternalFailure": _UNSURE,
    "InternalServerError": _UNSURE,
    "InvalidInstanceID.NotFound": _SETTLING,
    "InvalidLaunchTemplateId.NotFound": _SETTLING,
    "InvalidGroup.NotFound": _SETTLING,
    "InvalidKeyPair.NotFound": _SETTLING,
    "IdempotentParameterMismatch": Reaction(
        "token", "sent again under another ClientToken", "run `fleet up` again"
    ),
    "InvalidGroup.Duplicate": _TAKEN,
    "InvalidKeyPair.Duplicate": _TAKEN,
    "InvalidLaunchTemplateName.AlreadyExistsException": _TAKEN,
    "InvalidPermission.Duplicate": _TAKEN,
    "DependencyViolation": _HELD,
    "InvalidGroup.InUse": _HELD,
    "InvalidNetworkInterface.InUse": _HELD,
    "InvalidSnapshot.InUse": _HELD,
    "VolumeInUse": _HELD,
    "InvalidAMIID.NotFound": _stop(
        "the image is in another region, was deregistered, or the account's Allowed AMIs do not have it",
        NotFoundError,
    ),
    "InvalidAMIID.Unavailable": _stop("choose another image", NotFoundError),
    "UnauthorizedOperation": _DENIED,
    "AccessDenied": _DENIED,
    "AccessDeniedException": _DENIED,
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted": _stop(
        "have an administrator run `aws iam create-service-linked-role --aws-service-name spot.amazonaws.com` once",
    ),
    "OptInRequired": _stop(
        "enable the region or the service for this account first", CredentialsError
    ),
    "PendingVerification": _stop("AWS is still checking the account: try again in some hours"),
    "Blocked": _stop("AWS has blocked the account: write to AWS Support"),
    "InvalidUserData.Malformed": _stop(
        "the user data is over 16 KB or not base64: this is a fault of fleet"
    ),
}

DENIED = frozenset(code for code, reaction in REACTIONS.items() if reaction is _DENIED)
_UNKNOWN = Reaction("unfit", _OUT, "see EC2's own words", AwsError)
_PROFILE = Reaction(
    "settling",
    _AGAIN,
    "look whether instances.profile is there: `fleet doctor SPEC`",
    NotFoundError,
)
_ZONE = re.compile(r"\b[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}[a-z]\b")


def reaction_to(code: str, message: str = "") -> Reaction | None:
    """Give the reaction to an error code, None where nothing is known of it.

    A new instance profile is refused with the code of every wrong parameter, so its message decides.
    """
    if code == "InvalidParameterValue" and "instance profile" in message.lower():
        return _PROFILE
    return REACTIONS.get(code)


def reaction_of_pool(code: str, message: str = "") -> Reaction:
    """Give the reaction to a refusal of one pool: one that nobody knows leaves the pool out."""
    return reaction_to(code, message) or _UNKNOWN


def zones_with_capacity(message: str) -> frozenset[str]:
    """Read the zones that EC2 names as having capacity ("… or choosing us-east-1b, us-east-1c.")."""
    _, found, rest = message.partition("by not specifying an Availability Zone")
    return frozenset(_ZONE.findall(rest)) if found else frozenset()
