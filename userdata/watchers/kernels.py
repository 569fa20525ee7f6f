"""Asks Jupyter for its kernels, with the person's token, and trusts exactly the certificate in the person's files."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from typing import Any

from person import Person
from rules import Finding

_SECONDS = 10.0
_LARGEST = 1 << 22
_EVERY_ADDRESS = {"": "127.0.0.1", "*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


class Kernels:
    """Looks for a busy kernel, however silent, and for one that did something since the last look."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._last: dict[str, str] = {}
        self._first = True

    def look(self) -> Finding:
        """One look. Raises OSError, ValueError, HTTPException where Jupyter gives no good answer."""
        found = self._ask()
        before, self._last = self._last, {each["id"]: each["last_activity"] for each in found}
        first, self._first = self._first, False
        if any(each["execution_state"] == "busy" for each in found):
            return Finding("busy", "a kernel is busy")
        if not first and any(before.get(key) != at for key, at in self._last.items()):
            return Finding("busy", "a kernel was used")
        return Finding("quiet", "kernels quiet" if found else "no kernels")

    def _ask(self) -> list[dict[str, Any]]:
        token = self._person.read("token").strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise ValueError("the file of the token is torn")  # and its content is told to nobody
        server = json.loads(self._person.read("jupyter_server_config.json"))["ServerApp"]
        connection = self._connect(server)
        try:
            path = f"{server.get('base_url', '/').rstrip('/')}/api/kernels"
            connection.request("GET", path, headers={"Authorization": f"token {token}"})
            answer = connection.getresponse()
            if answer.status != http.client.OK:
                raise ValueError(f"answers {answer.status}")
            found = json.loads(answer.read(_LARGEST))
        finally:
            connection.close()
        return list(found)

    def _connect(self, server: dict[str, Any]) -> http.client.HTTPConnection:
        host = _EVERY_ADDRESS.get(server["ip"], server["ip"])
        if "certfile" not in server:
            return http.client.HTTPConnection(host, server["port"], timeout=_SECONDS)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # Names and signatures prove less than what follows: the server holds the key of this very certificate.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secure = http.client.HTTPSConnection(
            host, server["port"], timeout=_SECONDS, context=context
        )
        secure.connect()
        expected = _CERTIFICATE.search(self._person.read("server.pem"))
        shown = secure.sock.getpeercert(binary_form=True)
        if expected is None or shown != ssl.PEM_cert_to_DER_cert(expected.group()):
            secure.close()
            raise ValueError("shows another certificate than the one in server.pem")
        return secure
