"""Asks EC2's instance metadata service, version 2: a token by PUT, renewed before its time is over and on a 401."""

from __future__ import annotations

import http.client
from typing import Callable
from urllib.parse import urlsplit

_SECONDS = 2.0
_TOKEN_SECONDS = 21600
_LARGEST = 1 << 16


class Metadata:
    """A client of one endpoint, such as http://169.254.169.254. No proxy is asked."""

    def __init__(self, endpoint: str, boot: Callable[[], float]) -> None:
        self._place, self._boot = urlsplit(endpoint), boot
        self._token, self._until = "", 0.0

    def read(self, path: str) -> str | None:
        """Give what stands at a path below meta-data; None where there is nothing. Raises OSError, HTTPException."""
        for _ in range(2):
            if self._boot() >= self._until:
                self._renew()
            headers = {"X-aws-ec2-metadata-token": self._token}
            status, text = self._ask("GET", f"/latest/meta-data/{path}", headers)
            if status != http.client.UNAUTHORIZED:
                break
            self._until = 0.0
        if status == http.client.NOT_FOUND:
            return None
        if status != http.client.OK:
            raise OSError(f"answers {status}")
        return text

    def _renew(self) -> None:
        headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(_TOKEN_SECONDS)}
        status, text = self._ask("PUT", "/latest/api/token", headers)
        if status != http.client.OK:
            raise OSError(f"gives no token, but {status}")
        self._token, self._until = text.strip(), self._boot() + _TOKEN_SECONDS / 2

    def _ask(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        place = self._place
        connection = http.client.HTTPConnection(
            place.hostname or "", place.port or 80, timeout=_SECONDS
        )
        try:
            connection.request(method, place.path.rstrip("/") + path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LARGEST).decode("utf-8", "replace")
        finally:
            connection.close()
