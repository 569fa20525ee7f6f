"""What the daemon runs for container hosts: the VPC, the driver, and the two services inside the VPC."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from werkzeug.serving import WSGIRequestHandler, make_server

from fleet.sandbox.containers.driver import ContainerDriver
from fleet.sandbox.containers.index import PORT, Index, machine_upstream
from fleet.sandbox.containers.metadata import MetadataService
from fleet.sandbox.containers.network import METADATA, Vpc

if TYPE_CHECKING:
    from fleet.sandbox.cloud.metadata import InstanceMetadata
    from fleet.sandbox.driver import PowerOff

_App = Callable[..., Iterable[bytes]]


class Site:
    """Container hosts with what surrounds them. The services end with the process."""

    def __init__(
        self,
        directory: Path,
        on_power_off: PowerOff,
        find: Callable[[str], InstanceMetadata | None],
    ) -> None:
        self.vpc = Vpc()
        self.driver = ContainerDriver(directory, self.vpc, on_power_off)
        self._serve(METADATA, 80, MetadataService(find))
        index = Index(machine_upstream(), directory / "cache/files")
        self._serve(self.vpc.gateway, PORT, index)

    def _serve(self, address: str, port: int, app: _App) -> None:
        listening = self.vpc.listen(address, port)
        server = make_server(
            address, port, app, threaded=True, fd=listening.fileno(), request_handler=_Quiet
        )
        listening.close()  # the server has a copy
        name = f"{address}:{port}"
        threading.Thread(target=server.serve_forever, name=name, daemon=True).start()


class _Quiet(WSGIRequestHandler):
    """Writes no line per request, and asks no name server who the caller is."""

    def log_request(self, *_: Any) -> None:
        """Nothing."""

    def address_string(self) -> str:
        """The address."""
        return str(self.client_address[0])
