"""A host driver that boots nothing and remembers what it was asked to do, and a served cloud over
it.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config
from werkzeug.serving import WSGIRequestHandler, make_server

from fleet.sandbox.call_log import logged
from fleet.sandbox.cloud import Cloud, CloudSettings

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

    from fleet.sandbox.driver import HostConfig

Found = TypeVar("Found")
QUICK = CloudSettings(pending_seconds=0.15, boot_seconds=0.0, shutting_down_seconds=0.1)


class RecordingDriver:
    """Remembers calls in order. `slow` makes destroy, power_off and keep wait for so many seconds.

    `full`: no disk can be kept.
    """

    def __init__(self) -> None:
        self.booted: dict[str, HostConfig] = {}
        self.consoles: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.kept: set[str] = set()
        self.slow = 0.0
        self.full = False
        self.closed = False
        self._lock = threading.Lock()

    def boot(self, host: HostConfig) -> None:
        self._record("boot", host.instance_id)
        self.booted[host.instance_id] = host

    def power_off(self, instance_id: str) -> None:
        time.sleep(self.slow)
        self._record("power_off", instance_id)

    def destroy(self, instance_id: str) -> None:
        time.sleep(self.slow)
        self._record("destroy", instance_id)

    def keep(self, instance_id: str, name: str) -> None:
        time.sleep(self.slow)
        if self.full:
            raise OSError("No space left on device")
        self._record("keep", instance_id)
        self.kept.add(name)

    def forget(self, name: str) -> None:
        self.kept.discard(name)

    def console(self, instance_id: str) -> str:
        return self.consoles.get(instance_id, f"console of {instance_id}\n")

    def count(self) -> int:
        return len(self.booted)

    def close(self) -> None:
        self.closed = True

    def of(self, instance_id: str) -> list[str]:
        with self._lock:
            return [verb for verb, called in self.calls if called == instance_id]

    def _record(self, verb: str, instance_id: str) -> None:
        with self._lock:
            self.calls.append((verb, instance_id))


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any) -> None:
        pass


@dataclass
class Served:
    """A cloud that answers at `url`."""

    cloud: Cloud
    driver: RecordingDriver
    url: str
    clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)

    def session(self, *, region: str = "us-east-1", key: str = "AKIAEXAMPLE") -> boto3.Session:
        return boto3.Session(key, "secret", region_name=region)

    def client(self, service: Any, *, region: str = "us-east-1", key: str = "AKIAEXAMPLE") -> Any:
        """A client that does not retry; making one takes longer than a call."""
        made = self.clients.get((service, region, key))
        if made is None:
            config = Config(
                retries={"total_max_attempts": 1},
                connect_timeout=5,
                read_timeout=30,
                s3={"addressing_style": "path"},
            )
            session = self.session(region=region, key=key)
            made = session.client(service, endpoint_url=self.url, config=config)
            self.clients[service, region, key] = made
        return made

    @property
    def ec2(self) -> EC2Client:
        client: EC2Client = self.client("ec2")
        return client


@contextmanager
def serve(settings: CloudSettings = QUICK) -> Iterator[Served]:
    """A cloud on a free port of 127.0.0.1, gone afterwards."""
    driver = RecordingDriver()
    numbers = itertools.count(2)
    cloud = Cloud(
        driver=driver,
        addresses=lambda: "127.77.{}.{}".format(*divmod(next(numbers), 256)),
        settings=settings,
    )
    app = logged(cloud.app)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield Served(cloud, driver, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
        cloud.close()


def eventually(
    read: Callable[[], Found], accept: Callable[[Found], bool], *, seconds: float = 20
) -> Found:
    """What `read` gives once `accept` holds for it; fails at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        if accept(found):
            return found
        assert time.monotonic() < deadline, f"still {found!r} after {seconds} s"
        time.sleep(0.05)
