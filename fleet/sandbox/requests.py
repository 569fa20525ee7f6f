"""The control requests of a sandbox's daemon, below /_fleet/, for whoever knows its secret.

Takes JSON, gives JSON; a FleetError becomes HTTP 400 with its message and remedy.
Instance metadata of hosts that are processes is here too, below /_metadata/.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fleet.errors import FleetError, UsageError
from fleet.sandbox.faults.reading import read_kind
from fleet.sandbox.metadata import BELOW, MetadataService

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from fleet.sandbox.cloud import Cloud
    from fleet.sandbox.containers.driver import ContainerDriver
    from fleet.sandbox.driver import HostDriver
    from fleet.sandbox.faults.registry import Fault

CONTROL = "/_fleet/"
SECRET_HEADER = "X-Fleet-Secret"  # noqa: S105 - the header's name


class Control:
    """Stands before the cloud's application and answers requests below /_fleet/ itself."""

    def __init__(self, cloud: Cloud, driver: HostDriver, secret: str) -> None:
        self._cloud = cloud
        self._driver = driver
        self._secret = secret
        self._app: WSGIApplication = cloud.app
        self._metadata = MetadataService(cloud.instance_metadata)

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = str(environ.get("PATH_INFO", ""))
        if path.startswith(BELOW):
            return self._metadata.below(environ, start)
        if not path.startswith(CONTROL):
            return self._app(environ, start)
        given = str(environ.get("HTTP_X_FLEET_SECRET", ""))
        if not secrets.compare_digest(given, self._secret):
            return _answer(start, "403 Forbidden", {"error": "the secret is wrong"})
        requests = {
            ("POST", "reset"): self._reset,
            ("GET", "status"): self._status,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._switch_on,
            ("DELETE", "faults"): self._clear,
            ("POST", "host"): self._host,
            ("GET", "hosts"): self._hosts,
        }
        act = requests.get((str(environ["REQUEST_METHOD"]), path.removeprefix(CONTROL)))
        if act is None:
            return _answer(start, "404 Not Found", {"error": "no such request"})
        try:
            return _answer(start, "200 OK", act(_body(environ)))
        except FleetError as error:
            said = {"error": error.message, "remedy": error.remedy}
            return _answer(start, "400 Bad Request", {**said})

    def _reset(self, _: dict[str, Any]) -> dict[str, object]:
        self._cloud.reset()
        return {}

    def _status(self, _: dict[str, Any]) -> dict[str, object]:
        return {"hosts": self._driver.count()}

    def _faults(self, _: dict[str, Any]) -> dict[str, object]:
        return self._told(self._cloud.faults.all())

    def _switch_on(self, asked: dict[str, Any]) -> dict[str, object]:
        if read_kind(asked["name"]).of_host:
            self._containers()
        return self._told([self._cloud.faults.switch_on(asked["name"], asked["options"])])

    def _clear(self, asked: dict[str, Any]) -> dict[str, object]:
        return self._told(self._cloud.faults.clear(*asked["which"]))

    def _told(self, found: list[Fault]) -> dict[str, object]:
        return {"faults": [self._cloud.faults.describe(fault) for fault in found]}

    def _host(self, asked: dict[str, Any]) -> dict[str, object]:
        """A verb for the hosts of some names; none of them where one name is wrong."""
        from fleet.sandbox.containers import verbs  # only for container hosts

        driver = self._containers()
        found = [self._host_named(name) for name in asked["names"]]
        for instance_id in found:
            verbs.act(driver, instance_id, asked["verb"], asked["options"])
        return {"hosts": found}

    def _host_named(self, name: str) -> str:
        found = self._cloud.instances_named(name)
        if len(found) != 1:
            how = "several hosts have" if found else "no running host has"
            remedy = "see `fleet sandbox host list`, and give an instance id"
            raise UsageError(f"{how} the name {name!r}", remedy=remedy)
        return found[0]

    def _hosts(self, _: dict[str, Any]) -> dict[str, object]:
        """Every running host, with what befell its link."""
        driver = self._containers()
        told = self._cloud.running_hosts()
        return {
            "hosts": [{**host, "link": driver.link_words(host["instance_id"])} for host in told]
        }

    def _containers(self) -> ContainerDriver:
        from fleet.sandbox.containers.driver import ContainerDriver  # only where asked for

        if not isinstance(self._driver, ContainerDriver):
            remedy = "fleet sandbox stop; fleet sandbox start --hosts container"
            raise UsageError("this sandbox's hosts are processes", remedy=remedy)
        return self._driver


def _body(environ: WSGIEnvironment) -> dict[str, Any]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: dict[str, Any] = json.loads(environ["wsgi.input"].read(length) or b"{}")
    return body


def _answer(start: StartResponse, status: str, body: dict[str, object]) -> Iterable[bytes]:
    data = json.dumps(body).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]
