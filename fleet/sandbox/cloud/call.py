"""Reads from an HTTP request which AWS call it is: service, Region, action, and who asks. Changes
nothing.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, unquote

Protocol = Literal["ec2", "query", "json", "rest-json", "rest-xml"]
Environ = dict[str, Any]

_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Call:
    """One AWS call. `access_key` is empty for an unsigned request.

    `number` counts the calls of a cloud from 1, in the order of their arrival.
    """

    service: str
    region: str
    access_key: str
    action: str
    protocol: Protocol
    body: bytes
    number: int = 0


def read_call(environ: Environ) -> Call:
    """The call in `environ`; the request body can be read again afterwards."""
    access_key, region, service = _credential_scope(environ)
    body = _read_body(environ) if service != "s3" else b""
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    form = _form(environ, body)
    action = target.rpartition(".")[2] or form.get("Action", "")
    return Call(service, region, access_key, action, _protocol(service, target, form), body)


def json_parameters(call: Call) -> dict[str, Any]:
    """The parameters of a JSON call; an empty body has none."""
    parameters = json.loads(call.body or b"{}")
    return parameters if isinstance(parameters, dict) else {}


def _credential_scope(environ: Environ) -> tuple[str, str, str]:
    """(access key id, Region, service) out of the Signature Version 4 header or the presigned
    query.
    """
    header = str(environ.get("HTTP_AUTHORIZATION", ""))
    credential = header.partition("Credential=")[2].partition(",")[0]
    if not credential:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        credential = unquote(query.get("X-Amz-Credential", [""])[0])
    parts = credential.split("/")
    if len(parts) != 5:
        return "", "us-east-1", "s3"
    return parts[0], parts[2], parts[3].lower()


def _read_body(environ: Environ) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if not length:
        return b""
    body: bytes = environ["wsgi.input"].read(length)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _form(environ: Environ, body: bytes) -> dict[str, str]:
    content_type = str(environ.get("CONTENT_TYPE", ""))
    text = body.decode("utf-8", "replace") if content_type.startswith(_FORM) else ""
    pairs = parse_qs(text or str(environ.get("QUERY_STRING", "")), keep_blank_values=True)
    return {name: values[0] for name, values in pairs.items()}


def _protocol(service: str, target: str, form: dict[str, str]) -> Protocol:
    if service == "ec2":
        return "ec2"
    if service == "s3":
        return "rest-xml"
    if target:
        return "json"
    return "query" if "Action" in form else "rest-json"
