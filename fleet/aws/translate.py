"""Translates botocore's errors into ours, once, by code. Gives one line with the remedy.

Codes and meanings: EC2 API reference, "Error codes"; reactions: `fleet.plan.reactions`.
"""

from __future__ import annotations

import re

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from fleet.errors import (
    AwsError,
    CredentialsError,
    EndpointError,
    NameTakenError,
    NotAuthorizedError,
    NotFoundError,
)
from fleet.plan.reactions import DENIED, reaction_to

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
    }
)
_POLICY = "`fleet iam policy` prints all that is needed"
_NAME_TAKEN = "InvalidAMIName.Duplicate"
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
    if code in DENIED:
        return _denied(code, said, call)
    return _about_resources(code, said, call)


def _denied(code: str, said: str, call: str) -> AwsError:
    """Name the action that is missing: that of the call, or another one that the call needs."""
    lacks = denied_action(said)
    own = lacks.partition(" ")[0].rpartition(":")[2] == call
    also = f": it lacks {lacks}" if lacks and not own else ""
    return NotAuthorizedError(
        f"this identity may not call {call}{also} ({code})",
        remedy=f"ask for the permission {lacks.partition(' ')[0] or call}: {_POLICY}",
        code=code,
        said=said,
    )


def _about_resources(code: str, said: str, call: str) -> AwsError:
    reaction = reaction_to(code, said)
    if reaction:
        message = f"{call} failed ({code}): {said}"
        return reaction.error(message, remedy=reaction.remedy, code=code, said=said)
    if code == _NAME_TAKEN:
        remedy = "give the image another name, or remove the one that has it"
        return NameTakenError(f"{call}: {said}", remedy=remedy, code=code, said=said)
    if code in _NOT_FOUND or code.endswith((".NotFound", ".NotFoundException", ".Unavailable")):
        return NotFoundError(
            f"{call}: {said}", remedy="check the id and the region", code=code, said=said
        )
    return AwsError(
        f"{call} failed ({code}): {said}", remedy="see the message of AWS", code=code, said=said
    )


_LACKS = re.compile(r"not authorized to perform: ([\w-]+:\w+)(?: on resource: (arn:\S+))?")
_ENCODED = re.compile(r"Encoded authorization failure message: *([\w+/=-]+)")


def denied_action(said: str) -> str:
    """Read which action is missing, and on what: "iam:PassRole on arn:…"; nothing where it is not said.

    IAM user guide, "Troubleshoot access denied error messages".
    """
    found = _LACKS.search(said)
    return " on ".join(part for part in found.groups() if part) if found else ""


def encoded_denial(said: str) -> str:
    """Give the encoded half of EC2's refusal, which STS can read to whoever may ask it; else nothing."""
    found = _ENCODED.search(said)
    return found[1] if found else ""


def one_line(value: object) -> str:
    """Fold a text into one line without a final full stop, at most 300 characters long."""
    text = _ENCODED.sub("", str(value))  # nobody can read that half; see `encoded_denial`
    text = re.sub(r"\s+", " ", text).strip().rstrip(".")
    return text if len(text) <= 300 else text[:297] + "..."
