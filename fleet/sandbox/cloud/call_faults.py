"""Faults that befall a call, whatever it asks for: errors, delays, cut connections.

Stands at the gate: `check` before moto, `witness` after it. Errors have the code, the words and the
status of the service that was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from fleet.sandbox.cloud.denials import denied
from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.gate import ConnectionCut
from fleet.sandbox.cloud.words import status_of, words_of

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call, Protocol
    from fleet.sandbox.faults.registry import Fault, Faults

_TAGS_AT_CREATION = b"TagSpecification."
_THROTTLED: dict[Protocol, str] = {
    "ec2": "RequestLimitExceeded",
    "query": "Throttling",
    "rest-xml": "SlowDown",
}
_INTERNAL: dict[str, str] = {
    "ec2": "InternalError",
    "ssm": "InternalServerError",
    "pricing": "InternalErrorException",
    "servicequotas": "ServiceException",
    "iam": "ServiceFailure",
    "s3": "InternalError",
}


class CallFaults:
    """The faults of one account's calls."""

    def __init__(self, faults: Faults, account_id: str) -> None:
        self._faults = faults
        self._user = f"arn:aws:sts::{account_id}:user/moto"

    def check(self, call: Call) -> ApiError | None:
        """Wait, cut the connection, or give the error of the first fault that strikes."""
        slow = self._met("slow", call)
        if slow is not None:
            slow.cleared.wait(slow.conditions.delay_seconds)
        if self._met("lost-request", call):
            raise ConnectionCut
        refusals: tuple[tuple[str, Callable[[Fault, Call], ApiError]], ...] = (
            ("error", _asked_for),
            ("throttle", _throttled),
            ("server-error", _internal),
        )
        for name, refusal in refusals:
            fault = self._met(name, call)
            if fault is not None:
                return refusal(fault, call)
        return self._denied(call)

    def witness(self, call: Call, _: Answer) -> None:
        """Cut the connection although the call took effect."""
        if self._met("lost-response", call):
            raise ConnectionCut

    def _met(self, name: str, call: Call) -> Fault | None:
        return self._faults.met(name, lambda fault: names(fault.conditions.action, call))

    def _denied(self, call: Call) -> ApiError | None:
        """IAM asks for CreateTags too where a call creates something with tags."""
        if self._met("deny", call):
            return denied(call.service, call.action, call.protocol, self._user)
        tags = call.protocol == "ec2" and _TAGS_AT_CREATION in call.body
        if tags and self._faults.met("deny", lambda fault: denies(fault, "CreateTags")):
            return denied("ec2", "CreateTags", call.protocol, self._user)
        return None


def names(pattern: str | None, call: Call) -> bool:
    """Whether `CreateFleet`, `ec2:CreateFleet` or `ec2:Create*` names the call; None names every
    call.
    """
    if pattern is None:
        return True
    service, _, action = pattern.rpartition(":")
    return service in {"", call.service} and fnmatchcase(call.action, action)


def denies(fault: Fault, ec2_action: str) -> bool:
    """Whether the fault denies an EC2 action by which another call does part of its work."""
    service, _, pattern = (fault.conditions.action or "*").rpartition(":")
    return service in {"", "ec2"} and fnmatchcase(ec2_action, pattern)


def _asked_for(fault: Fault, call: Call) -> ApiError:
    asked = fault.conditions
    code = asked.code or ""
    status = asked.status or status_of(call.protocol, code)
    return ApiError(code, asked.message or words_of(code), status=status)


def _throttled(_: Fault, call: Call) -> ApiError:
    code = _THROTTLED.get(call.protocol, "ThrottlingException")
    return ApiError(code, words_of(code), status=status_of(call.protocol, code))


def _internal(_: Fault, call: Call) -> ApiError:
    code = _INTERNAL.get(call.service, "InternalFailure")
    return ApiError(code, words_of("InternalError"), status=500)
