"""Translates botocore's errors into ours, once, by code. Gives one line with the remedy.

Codes and meanings: EC2 API reference, "Error codes"; reactions: the design's table of launch errors.
"""

from __future__ import annotations

import re

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet.errors import (
    AwsError,
    CapacityError,
    CredentialsError,
    EndpointError,
    InUseError,
    NotAuthorizedError,
    NotFoundError,
    QuotaError,
)

_TRY_SANDBOX = "to try without an account: fleet --sandbox"
_NO_CREDENTIALS = f"run `aws configure`, or set AWS_PROFILE ({_TRY_SANDBOX})"

_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REFUSED = frozenset(
    {
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
        "OptInRequired",
    }
)
_DENIED = frozenset({"UnauthorizedOperation", "AccessDenied", "AccessDeniedException"})
_CAPACITY = frozenset(
    {"InsufficientInstanceCapacity", "UnfulfillableCapacity", "ReservationCapacityExceeded"}
)
_QUOTA = frozenset(
    {
        "VcpuLimitExceeded",
        "MaxSpotInstanceCountExceeded",
        "InstanceLimitExceeded",
        "MaxFleetCountExceeded",
    }
)
_IN_USE = frozenset(
    {
        "DependencyViolation",
        "InvalidGroup.InUse",
        "InvalidNetworkInterface.InUse",
        "InvalidSnapshot.InUse",
        "VolumeInUse",
    }
)
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
_NOT_FOUND = frozenset({"ParameterNotFound", "InvalidGroupId.Malformed", "NoSuchResourceException"})

_NO_ANSWER = (
    exceptions.EndpointConnectionError,
    exceptions.ConnectTimeoutError,
    exceptions.ReadTimeoutError,
    exceptions.ConnectionClosedError,
    exceptions.ProxyConnectionError,
    exceptions.SSLError,
    exceptions.HTTPClientError,
    ResponseParserError,
)
_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.SSOError,
    exceptions.NoAuthTokenError,
)


def translate(error: ClientError | BotoCoreError) -> AwsError:
    """Give the error of our tree that this botocore error means."""
    if isinstance(error, ClientError):
        return _answered(error)
    return _unanswered(error)


def _unanswered(error: BotoCoreError) -> AwsError:
    if isinstance(error, exceptions.NoCredentialsError):
        return CredentialsError("no AWS credentials found", remedy=_NO_CREDENTIALS)
    if isinstance(error, exceptions.ProfileNotFound | exceptions.InvalidConfigError):
        return CredentialsError(one_line(error), remedy="check --profile and AWS_PROFILE")
    if isinstance(error, _CREDENTIALS):
        return CredentialsError(
            f"AWS credentials cannot be used: {one_line(error)}",
            remedy="sign in again (`aws sso login`), or set AWS_PROFILE",
        )
    if isinstance(error, _NO_ANSWER):
        return EndpointError(
            f"AWS does not answer: {one_line(error)}",
            remedy="check the network, the proxy and AWS_ENDPOINT_URL "
            "(a sandbox: `fleet sandbox status`)",
        )
    return AwsError(f"AWS call failed: {one_line(error)}", remedy="run the command again")


def _answered(error: ClientError) -> AwsError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    said = one_line(error.response.get("Error", {}).get("Message", "")) or code
    call = error.operation_name
    if code in _EXPIRED:
        return CredentialsError(
            f"AWS credentials have expired ({code})",
            remedy="sign in again (`aws sso login`), or set fresh credentials",
            code=code,
        )
    if code in _REFUSED:
        return CredentialsError(
            f"AWS does not accept these credentials here ({code}: {said})",
            remedy="check AWS_PROFILE and the keys, and that the region is enabled for the account",
            code=code,
        )
    if code in _DENIED:
        return NotAuthorizedError(
            f"this identity may not call {call} ({code})",
            remedy=f"ask for the IAM permission for {call}",
            code=code,
        )
    return _about_resources(code, said, call)


def _about_resources(code: str, said: str, call: str) -> AwsError:
    if code in _CAPACITY:
        return CapacityError(
            f"EC2 has no capacity: {said}", remedy="other types, zones or later", code=code
        )
    if code in _QUOTA:
        return QuotaError(
            f"the account's quota does not allow it: {said}",
            remedy="ask for more under Service Quotas, or use fewer or smaller instances",
            code=code,
        )
    if code in _IN_USE:
        return InUseError(f"{call}: {said}", remedy="remove what still refers to it", code=code)
    if code in _THROTTLED:
        return AwsError(f"AWS is throttling {call}", remedy="run the command again", code=code)
    if code in _NOT_FOUND or code.endswith((".NotFound", ".NotFoundException", ".Unavailable")):
        return NotFoundError(f"{call}: {said}", remedy="check the id and the region", code=code)
    return AwsError(f"{call} failed ({code}): {said}", remedy="see the message of AWS", code=code)


def one_line(value: object) -> str:
    """Fold a text into one line without a final full stop, at most 300 characters long."""
    text = re.sub(r"\s+", " ", str(value)).strip().rstrip(".")
    return text if len(text) <= 300 else text[:297] + "..."
