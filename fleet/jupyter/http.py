"""One HTTP request to an environment, with a time limit and without proxies or redirects.

Over TLS the certificate must be the fleet's own authority's and carry the address; no other authority counts.
"""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_LARGEST_ANSWER = 1 << 20
_MOST_AUTHORITIES = 8
"""A run talks to the hosts of one fleet, which have one authority; a context serves all of them, on any thread."""


@dataclass(frozen=True)
class Server:
    """Where a service answers. `authority` is the certificate, in PEM, that its own must be signed by; None: no TLS."""

    address: str
    port: int
    authority: str | None = None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What verifies its certificate: the fleet's authority alone."""
        return _trusting(self.authority) if self.authority else None


@functools.lru_cache(_MOST_AUTHORITIES)
def _trusting(authority: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority)


@dataclass(frozen=True)
class Answer:
    """Status and body of an answer; the body is cut at 1 MiB.

    `location` is where it sends to, `certified_until` the end of the verified certificate, None without TLS.
    """

    status: int
    body: bytes
    location: str = ""
    certified_until: datetime | None = None

    def json(self) -> Any:
        """Read the body as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


def request(
    server: Server,
    method: str,
    path: str,
    *,
    token: str | None = None,
    body: object = None,
    timeout: float,
) -> Answer:
    """Send one request, within `timeout` seconds. Raises OSError or http.client.HTTPException where no answer comes."""
    headers = {"Authorization": f"token {token}"} if token else {}
    data = None
    if body is not None:
        data = json.dumps(body).encode()
        headers["Content-Type"] = "application/json"
    connection = _connection(server, timeout)
    try:
        connection.connect()
        with _over_after(timeout, connection.sock):
            connection.request(method, path, body=data, headers=headers)
            until = _certified_until(connection)
            answer = connection.getresponse()
            location = answer.getheader("Location", "")
            return Answer(answer.status, answer.read(_LARGEST_ANSWER), location, until)
    finally:
        connection.close()


@contextmanager
def _over_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """End a conversation after so long: a socket's own limit begins anew with each byte, and these may drip."""
    over = threading.Timer(seconds, _hang_up, (sock,))
    over.daemon = True
    over.start()
    try:
        yield
    finally:
        over.cancel()


def _hang_up(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _connection(server: Server, timeout: float) -> http.client.HTTPConnection:
    tls = server.tls
    if tls is None:
        return http.client.HTTPConnection(server.address, server.port, timeout=timeout)
    return http.client.HTTPSConnection(server.address, server.port, timeout=timeout, context=tls)


def _certified_until(connection: http.client.HTTPConnection) -> datetime | None:
    if not isinstance(connection.sock, ssl.SSLSocket):
        return None
    certificate = connection.sock.getpeercert() or {}
    end = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return datetime.fromtimestamp(end, UTC)
