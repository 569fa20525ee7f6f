"""IAM's refusals, in plain words and in the encoded ones that only DecodeAuthorizationMessage reads."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.words import words_of

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call, Protocol

DECODE = "DecodeAuthorizationMessage"
_MARK = "Encoded authorization failure message: "
_INVALID = "InvalidAuthorizationMessageException"


def denied(service: str, action: str, protocol: Protocol, user: str) -> ApiError:
    """IAM's refusal as the service words it."""
    name = f"{service}:{action}"
    why = (
        f"User: {user} is not authorized to perform: {name} on resource: * "
        f"because no identity-based policy allows the {name} action"
    )
    if protocol == "ec2":
        text = f"{words_of('UnauthorizedOperation')} {why}. {_MARK}{_encoded(name)}"
        return ApiError("UnauthorizedOperation", text, status=403)
    if protocol in {"json", "rest-json"}:
        return ApiError("AccessDeniedException", why)
    return ApiError("AccessDenied", why, status=403)


def denied_in_code(name: str, resource: str = "*") -> str:
    """EC2's words where it names the action in code alone, as for each pool of a CreateFleet."""
    return f"{words_of('UnauthorizedOperation')} {_MARK}{_encoded(name, resource)}"


def _encoded(name: str, resource: str = "*") -> str:
    """What was denied, as STS can read it. AWS's own is encrypted."""
    context = {"action": name, "resource": resource}
    decision = {"allowed": False, "explicitDeny": False, "context": context}
    return base64.urlsafe_b64encode(json.dumps(decision).encode()).decode()


def decode(call: Call) -> Answer:
    """Answer DecodeAuthorizationMessage."""
    form = parse_qs(call.body.decode("utf-8", "replace"))
    try:
        text = base64.urlsafe_b64decode(form["EncodedMessage"][0]).decode()
        json.loads(text)
    except (KeyError, binascii.Error, ValueError) as error:
        raise ApiError(_INVALID, "Invalid authorization message") from error
    body = (
        f'<{DECODE}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{DECODE}Result>'
        f"<DecodedMessage>{escape(text)}</DecodedMessage></{DECODE}Result>"
        f"<ResponseMetadata><RequestId>{call.number}</RequestId></ResponseMetadata>"
        f"</{DECODE}Response>"
    )
    return Answer(200, body.encode())
