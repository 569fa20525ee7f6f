"""The one place where a call passes before moto sees it, and where its answer passes afterwards.

A check answers with an error, or lets the call through; a witness sees the answer of a call that
took effect. Either may raise `ConnectionCut`. Credentials and Regions are checked here; the cloud
adds the faults that are switched on by name, and what tests do at a numbered call.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import boto3

from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.documents import Answer, ApiError

Check = Callable[[Call], ApiError | None]
Witness = Callable[[Call, Answer], None]

_GLOBAL_REGIONS = frozenset({"aws-global"})
_INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105 - AWS says so
_EXPIRED_TOKEN = "The security token included in the request is expired"  # noqa: S105 - AWS says so
_AUTH_FAILURE = "AWS was not able to validate the provided access credentials"


class ConnectionCut(Exception):  # noqa: N818 - what happened to the caller, no error of ours
    """The caller's connection ends without an answer."""


class Gate:
    """The checks and the witnesses in their order. Append to them to let more calls fail."""

    def __init__(self) -> None:
        self.checks: list[Check] = [expired_credentials, refused_credentials, unknown_region]
        self.witnesses: list[Witness] = []

    def refuse(self, call: Call) -> ApiError | None:
        """The error of the first check that refuses the call."""
        return next((error for check in self.checks if (error := check(call))), None)

    def release(self, call: Call, answer: Answer) -> None:
        """Show the answer to every witness before the caller reads it."""
        for witness in self.witnesses:
            witness(call, answer)


def expired_credentials(call: Call) -> ApiError | None:
    """The access key id `EXPIRED` stands for a session whose time is over; each protocol has its
    own code.
    """
    if call.access_key != "EXPIRED":
        return None
    if call.protocol == "ec2":
        return ApiError("RequestExpired", "Request has expired.")
    if call.protocol in {"json", "rest-json"}:
        return ApiError("ExpiredTokenException", _EXPIRED_TOKEN)
    return ApiError("ExpiredToken", _EXPIRED_TOKEN, status=403)


def refused_credentials(call: Call) -> ApiError | None:
    """The access key id `INVALID` stands for credentials that AWS does not know."""
    if call.access_key != "INVALID":
        return None
    if call.protocol == "ec2":
        return ApiError("AuthFailure", _AUTH_FAILURE, status=401)
    if call.protocol in {"json", "rest-json"}:
        return ApiError("UnrecognizedClientException", _INVALID_TOKEN)
    if call.protocol == "rest-xml":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return ApiError("InvalidAccessKeyId", message, status=403)
    return ApiError("InvalidClientTokenId", _INVALID_TOKEN, status=403)


@cache
def _regions() -> frozenset[str]:
    session = boto3.Session()
    return frozenset(session.get_available_regions("ec2")) | _GLOBAL_REGIONS


def unknown_region(call: Call) -> ApiError | None:
    """With an endpoint URL no client notices that a Region does not exist, so the endpoint must."""
    if call.region in _regions():
        return None
    if call.protocol == "ec2":
        return ApiError("AuthFailure", _AUTH_FAILURE, status=401)
    if call.protocol in {"json", "rest-json"}:
        return ApiError("UnrecognizedClientException", _INVALID_TOKEN)
    return ApiError("InvalidClientTokenId", _INVALID_TOKEN, status=403)
