"""One HTTP request to an environment, with a time limit and without proxies or redirects."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any

_LARGEST_ANSWER = 1 << 20


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; the body is cut at 1 MiB."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Read the body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


def request(
    address: str,
    port: int,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: object = None,
    timeout: float,
) -> Answer:
    """Send one request. Raises OSError or http.client.HTTPException where no answer comes."""
    headers = {"Authorization": f"token {token}"} if token else {}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        connection.request(method, path, body=data, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(_LARGEST_ANSWER))
    finally:
        connection.close()
