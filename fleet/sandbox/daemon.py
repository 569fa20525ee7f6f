"""The sandbox's background process: the cloud's endpoint, and the driver whose hosts it boots.

`python -m fleet.sandbox.daemon DIRECTORY REGION BOOT_SECONDS DRIVER READY_FD`, started by
`control.start`; DRIVER is "process", or "container" in a mount namespace of its own.
It detaches, writes a line to READY_FD once its endpoint answers, and lives until SIGTERM.
Whatever way it ends, its hosts end.
"""

from __future__ import annotations

import gc
import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox import state
from fleet.sandbox.addresses import Addresses, ssh_port
from fleet.sandbox.call_log import logged
from fleet.sandbox.hosts import linux
from fleet.sandbox.metadata import BELOW
from fleet.sandbox.requests import Control

if TYPE_CHECKING:
    from fleet.sandbox.cloud.metadata import InstanceMetadata
    from fleet.sandbox.driver import HostDriver, PowerOff

END_SECONDS = 60.0
"""A daemon that has not closed everything by then exits as it is; its hosts end by themselves."""

_log = logging.getLogger("fleet.sandbox")


@dataclass(frozen=True)
class _Hosts:
    """The driver of a sandbox, with what the cloud must know of its hosts."""

    driver: HostDriver
    addresses: Callable[[], str]
    network: str
    ssh_port: int


def _process_hosts(
    directory: Path, on_power_off: PowerOff, metadata_url: Callable[[str], str]
) -> _Hosts:
    from fleet.sandbox.hosts.process import ProcessDriver  # after the detaching fork

    addresses = Addresses()
    port = ssh_port(addresses.network)
    driver = ProcessDriver(directory, on_power_off, metadata_url)
    return _Hosts(driver, addresses, "127.0.0.0/8", port)


def _container_hosts(
    directory: Path, on_power_off: PowerOff, find: Callable[[str], InstanceMetadata | None]
) -> _Hosts:
    from fleet.sandbox.containers.site import Site  # only where they are asked for

    site = Site(directory, on_power_off, find)
    return _Hosts(site.driver, site.vpc, site.vpc.network, 22)


def _serve(
    directory: Path, region: str, boot_seconds: float, kind: str, ready: Callable[[], None]
) -> None:
    from werkzeug.serving import make_server  # after the detaching fork

    from fleet.sandbox.cloud import Cloud, CloudSettings

    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())

    def on_power_off(instance_id: str) -> None:
        cloud.host_powered_off(instance_id)

    def metadata_url(address: str) -> str:
        return f"http://127.0.0.1:{server.server_port}{BELOW}{address}"

    hosts = (
        _process_hosts(directory, on_power_off, metadata_url)
        if kind == "process"
        else _container_hosts(directory, on_power_off, lambda at: cloud.instance_metadata(at))  # noqa: PLW0108 - made next
    )
    driver = hosts.driver
    settings = CloudSettings(region=region, ssh_port=hosts.ssh_port, boot_seconds=boot_seconds)
    cloud = Cloud(driver=driver, addresses=hosts.addresses, settings=settings)
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
            ssh_port=hosts.ssh_port,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            boot_seconds=boot_seconds,
            driver=kind,
            network=hosts.network,
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
    directory, region, boot_seconds, kind, fd = sys.argv[1:]
    _detach()
    os.umask(0o077)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    pipe = int(fd)
    os.set_inheritable(pipe, False)  # noqa: FBT003

    def ready() -> None:
        os.write(pipe, b"ready\n")
        os.close(pipe)

    _serve(Path(directory), region, float(boot_seconds), kind, ready)


if __name__ == "__main__":
    main()
