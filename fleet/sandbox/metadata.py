"""The instance metadata service: IMDSv2, and IMDSv1 where the instance allows it.

The answers are EC2's ("Use the Instance Metadata Service", "Instance metadata categories"): a token
by PUT with its lifetime in seconds, 401 without one, 404 for what the instance does not have. Who
asks is known by its address, as the hypervisor knows it. Container hosts have it at 169.254.169.254;
processes share the machine's address, so each has a path of its own at the sandbox's endpoint,
which `AWS_EC2_METADATA_SERVICE_ENDPOINT` names to every AWS client.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from fleet.sandbox.cloud.metadata import InstanceMetadata

_VERSIONS = ("1.0", "2016-09-02", "2018-09-24", "2021-03-23", "latest")
BELOW = "/_metadata/"
"""Where processes find it: the address of the host that asks follows, then a path as at 169.254.169.254."""
_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
_LONGEST_TTL = 21600
_STATUS = {
    200: "200 OK",
    400: "400 Bad Request",
    401: "401 Unauthorized",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
}


class MetadataService:
    """A WSGI application. `find` gives what the instance at an address may know of itself."""

    def __init__(
        self,
        find: Callable[[str], InstanceMetadata | None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._clock = clock
        self._tokens: dict[str, tuple[str, float]] = {}

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        status, body, headers = self._answer(environ)
        data = body.encode() if isinstance(body, str) else body
        kind = ("Content-Type", "text/plain")
        start(_STATUS[status], [kind, ("Content-Length", str(len(data))), *headers])
        return [data]

    def below(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request to a path `BELOW`."""
        path = str(environ.get("PATH_INFO", "")).removeprefix(BELOW)
        address, _, rest = path.partition("/")
        return self({**environ, "REMOTE_ADDR": address, "PATH_INFO": f"/{rest}"}, start)

    def _answer(self, environ: WSGIEnvironment) -> tuple[int, str | bytes, list[tuple[str, str]]]:
        address = str(environ.get("REMOTE_ADDR", ""))
        found = self._find(address)
        if found is None or not found.enabled:
            return 403, "", []
        path, method = str(environ.get("PATH_INFO", "")), str(environ["REQUEST_METHOD"])
        if path.rstrip("/") == "/latest/api/token":
            return self._new_token(environ, address) if method == "PUT" else (405, "", [])
        if method not in {"GET", "HEAD"}:
            return 405, "", []
        if not self._allowed(environ, address, found):
            return 401, "", []
        body = _look_up(path, found)
        return (404, "", []) if body is None else (200, body, [])

    def _new_token(
        self, environ: WSGIEnvironment, address: str
    ) -> tuple[int, str, list[tuple[str, str]]]:
        if "HTTP_X_FORWARDED_FOR" in environ:
            return 403, "", []
        text = str(environ.get(f"HTTP_{_TTL_HEADER.upper().replace('-', '_')}", ""))
        seconds = int(text) if text.isdigit() else 0
        if not 1 <= seconds <= _LONGEST_TTL:
            return 400, "", []
        now = self._clock()
        self._tokens = {key: held for key, held in self._tokens.items() if held[1] > now}
        token = secrets.token_urlsafe(40)
        self._tokens[token] = (address, now + seconds)
        return 200, token, [(_TTL_HEADER, str(seconds))]

    def _allowed(self, environ: WSGIEnvironment, address: str, found: InstanceMetadata) -> bool:
        token = environ.get("HTTP_X_AWS_EC2_METADATA_TOKEN")
        if token is None:
            return not found.tokens_required
        owner, until = self._tokens.get(str(token), ("", 0.0))
        return owner == address and self._clock() < until


def _look_up(path: str, found: InstanceMetadata) -> str | bytes | None:
    """What stands at a path: a text, a listing, or nothing."""
    version, _, rest = path.strip("/").partition("/")
    if not version:
        return "\n".join(_VERSIONS)
    if version not in _VERSIONS:
        return None
    if rest == "user-data":
        return found.user_data or None
    if rest == "meta-data/public-keys":
        return f"0={found.key_name}" if found.public_key else None
    texts = _tree(found)
    return texts[rest] if rest in texts else _listing(rest, texts)


def _listing(folder: str, texts: Mapping[str, str]) -> str | None:
    prefix = f"{folder}/" if folder else ""
    below = (path[len(prefix) :].partition("/") for path in texts if path.startswith(prefix))
    return "\n".join(sorted({first + slash for first, slash, _ in below})) or None


def _tree(found: InstanceMetadata) -> dict[str, str]:
    meta = dict(found.texts)
    if found.public_key:
        meta["public-keys/0/openssh-key"] = found.public_key
    if found.notice:
        meta["spot/instance-action"] = json.dumps(dict(found.notice))
        meta["spot/termination-time"] = found.notice["time"]
    if found.rebalance:
        meta["events/recommendations/rebalance"] = json.dumps(dict(found.rebalance))
    tree = {f"meta-data/{name}": text for name, text in meta.items()}
    tree["dynamic/instance-identity/document"] = json.dumps(dict(found.identity), indent=2)
    return tree
