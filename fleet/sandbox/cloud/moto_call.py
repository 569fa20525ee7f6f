"""One request through moto's WSGI application, and its answer made whole: statuses as EC2's, no
HTML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from fleet.sandbox.cloud.documents import Answer, ApiError, error_answer
from fleet.sandbox.cloud.words import EC2_STATUSES

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call, Environ

_CODE = re.compile(rb"<Code>([\w.]+)</Code>")


def through_moto(
    app: Callable[[Environ, Callable[..., Any]], Iterable[bytes]], call: Call, environ: Environ
) -> Answer:
    """moto's answer. A page of HTML becomes an error document of the call's protocol."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        begun.append((status, headers))

    parts = app(environ, start)
    body = b"".join(parts)
    close = getattr(parts, "close", None)
    if close is not None:
        close()
    status, headers = begun[-1]
    answer = _answer(int(status.split(" ", 1)[0]), headers, body)
    if not body and answer.status >= 400 and call.service != "s3":
        text = f"{call.service} has no such action: {call.action or environ.get('PATH_INFO')}"
        return error_answer(call.protocol, ApiError("InvalidAction", text))
    if body.lstrip()[:9].lower() in {b"<!doctype", b"<html>"} and call.service != "s3":
        text = f"The sandbox does not implement {call.service}:{call.action}."
        return error_answer(call.protocol, ApiError("UnsupportedOperation", text))
    return _with_status(answer) if call.protocol == "ec2" else answer


def _answer(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    content_type = next(
        (value for name, value in headers if name.lower() == "content-type"), "text/xml"
    )
    rest = tuple(
        (name, value) for name, value in headers if name.lower() not in {"content-type", "status"}
    )
    return Answer(status, body, content_type, rest)


def _with_status(answer: Answer) -> Answer:
    found = _CODE.search(answer.body) if answer.status >= 400 else None
    status = EC2_STATUSES.get(found[1].decode(), answer.status) if found else answer.status
    return Answer(status, answer.body, answer.content_type, answer.headers)
