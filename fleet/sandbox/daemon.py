"""The sandbox's background process: the cloud's endpoint, and the driver whose hosts it boots.

`python -m fleet.sandbox.daemon DIRECTORY REGION BOOT_SECONDS READY_FD`, started by `control.start`.
It detaches, writes a line to READY_FD once its endpoint answers, and lives until SIGTERM. Whatever
way it ends, its hosts end.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.errors import UsageError
from fleet.sandbox import state
from fleet.sandbox.addresses import Addresses, ssh_port
from fleet.sandbox.call_log import logged
from fleet.sandbox.hosts import linux

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from fleet.sandbox.cloud import Cloud
    from fleet.sandbox.hosts.process import ProcessDriver

CONTROL = "/_fleet/"
SECRET_HEADER = "X-Fleet-Secret"  # noqa: S105 - the header's name
END_SECONDS = 60.0
"""A daemon that has not closed everything by then exits as it is; its hosts end by themselves."""

_log = logging.getLogger("fleet.sandbox")


class Control:
    """Stands before the cloud's application and answers requests below /_fleet/ itself."""

    def __init__(self, cloud: Cloud, driver: ProcessDriver, secret: str) -> None:
        self._cloud = cloud
        self._driver = driver
        self._secret = secret
        self._app: WSGIApplication = cloud.app

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(CONTROL):
            return self._app(environ, start)
        given = str(environ.get("HTTP_X_FLEET_SECRET", ""))
        if not secrets.compare_digest(given, self._secret):
            return _answer(start, "403 Forbidden", {"error": "the secret is wrong"})
        if path == f"{CONTROL}reset" and environ["REQUEST_METHOD"] == "POST":
            self._cloud.reset()
            return _answer(start, "200 OK", {})
        if path == f"{CONTROL}status":
            return _answer(start, "200 OK", {"hosts": self._driver.count()})
        if path == f"{CONTROL}faults":
            return self._faults(environ, start)
        return _answer(start, "404 Not Found", {"error": "no such request"})

    def _faults(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """GET lists the faults, POST adds one, DELETE clears those that the body names, or all."""
        faults = self._cloud.faults
        try:
            asked = _body(environ)
            if environ["REQUEST_METHOD"] == "POST":
                told = [faults.switch_on(asked["name"], asked["options"])]
            elif environ["REQUEST_METHOD"] == "DELETE":
                told = faults.clear(*asked["which"])
            else:
                told = faults.all()
        except UsageError as error:
            said = {"error": error.message, "remedy": error.remedy}
            return _answer(start, "400 Bad Request", {**said})
        return _answer(start, "200 OK", {"faults": [faults.describe(fault) for fault in told]})


def _body(environ: WSGIEnvironment) -> dict[str, Any]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body: dict[str, Any] = json.loads(environ["wsgi.input"].read(length) or b"{}")
    return body


def _answer(start: StartResponse, status: str, body: dict[str, object]) -> Iterable[bytes]:
    data = json.dumps(body).encode()
    start(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]


def _serve(directory: Path, region: str, boot_seconds: float, ready: Callable[[], None]) -> None:
    from werkzeug.serving import make_server  # noqa: PLC0415 - after the detaching fork

    from fleet.sandbox.cloud import Cloud, CloudSettings  # noqa: PLC0415
    from fleet.sandbox.hosts.process import ProcessDriver  # noqa: PLC0415

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    addresses = Addresses()
    port = ssh_port(addresses.network)
    driver = ProcessDriver(directory, lambda gone: cloud.host_powered_off(gone))  # noqa: PLW0108 - made next
    settings = CloudSettings(region=region, ssh_port=port, boot_seconds=boot_seconds)
    cloud = Cloud(driver=driver, addresses=addresses, settings=settings)
    secret = secrets.token_hex(16)
    app = logged(Control(cloud, driver, secret))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, name="endpoint", daemon=True).start()
    me = linux.process(os.getpid())
    state.write(
        directory,
        state.State(
            pid=os.getpid(),
            born=me.born if me else 0,
            port=server.server_port,
            secret=secret,
            region=region,
            ssh_port=port,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            boot_seconds=boot_seconds,
        ),
    )
    gc.freeze()
    ready()
    told.wait()
    _exit_after(END_SECONDS)
    server.shutdown()
    cloud.close()
    driver.close()
    state.remove(directory)


def _exit_after(seconds: float) -> None:
    timer = threading.Timer(seconds, os._exit, [1])
    timer.daemon = True
    timer.start()


def _detach() -> None:
    """Leave the caller's process tree, so that it has no child to wait for."""
    if os.fork() > 0:
        os._exit(0)


def main() -> None:
    """Run the daemon until SIGTERM."""
    directory, region, boot_seconds, fd = sys.argv[1:]
    _detach()
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    pipe = int(fd)
    os.set_inheritable(pipe, False)  # noqa: FBT003

    def ready() -> None:
        os.write(pipe, b"ready\n")
        os.close(pipe)

    _serve(Path(directory), region, float(boot_seconds), ready)


if __name__ == "__main__":
    main()
