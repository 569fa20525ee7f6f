"""Well-formed error documents in each of AWS's protocols, and the HTTP answer that carries one."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Protocol


class ApiError(Exception):
    """An AWS error: its code, its message and the HTTP status that it comes with."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = "text/xml;charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = field(default=())


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SHAPES: dict[str, str] = {
    "ec2": (
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
        "<RequestID>{request}</RequestID></Response>"
    ),
    "query": (
        "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>{request}</RequestId></ErrorResponse>"
    ),
    "rest-xml": (
        "<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request}</RequestId></Error>"
    ),
}


def error_answer(protocol: Protocol, error: ApiError) -> Answer:
    """`error` as the document that `protocol` prescribes."""
    shape = _SHAPES.get(protocol)
    if shape is None:
        return json_answer(
            {"__type": error.code, "message": error.message}, status=error.status, code=error.code
        )
    text = shape.format(
        code=escape(error.code),
        message=escape(error.message),
        request=uuid.uuid4(),
        fault="Sender" if error.status < 500 else "Receiver",
    )
    return Answer(error.status, (_XML + text).encode())


def json_answer(document: object, *, status: int = 200, code: str = "") -> Answer:
    """`document` in AWS's JSON protocol; `code` goes into the error header."""
    headers: tuple[tuple[str, str], ...] = (("x-amzn-RequestId", str(uuid.uuid4())),)
    if code:
        headers += (("x-amzn-ErrorType", code),)
    return Answer(status, json.dumps(document).encode(), "application/x-amz-json-1.1", headers)
