"""What the daemon runs for container hosts: the VPC, the driver, and the two services inside the VPC."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.containers.base import CACHE
from fleet.sandbox.containers.driver import ContainerDriver
from fleet.sandbox.containers.network import METADATA, PACKAGES_PORT, Vpc
from fleet.sandbox.containers.programs import run
from fleet.sandbox.containers.serving import server_on
from fleet.sandbox.metadata import MetadataService
from fleet.sandbox.strays import MARK

if TYPE_CHECKING:
    import socket

    from fleet.sandbox.cloud.metadata import InstanceMetadata
    from fleet.sandbox.driver import PowerOff

_NSPAWN = Path("/run/systemd/nspawn")


class Site:
    """Container hosts with what surrounds them. The services end with the process."""

    def __init__(
        self,
        directory: Path,
        on_power_off: PowerOff,
        find: Callable[[str], InstanceMetadata | None],
    ) -> None:
        _hide_what_nspawn_leaves()
        self.vpc = Vpc()
        self.driver = ContainerDriver(directory, self.vpc, on_power_off)
        metadata = server_on(self.vpc.listen(METADATA, 80), MetadataService(find))
        threading.Thread(target=metadata.serve_forever, name="metadata", daemon=True).start()
        _serve_packages(self.vpc.listen(self.vpc.gateway, PACKAGES_PORT), directory)


def _hide_what_nspawn_leaves() -> None:
    """Where /run is on a disk, systemd-nspawn leaves a folder of each host there: it goes with this mount."""
    _NSPAWN.mkdir(parents=True, exist_ok=True)
    run("mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "fleet", str(_NSPAWN))


def _serve_packages(listening: socket.socket, directory: Path) -> None:
    """Start the index in a process of its own: twenty hosts that install would slow the cloud down."""
    # It ends with the daemon, whatever ended that; `fleet sandbox stop` makes sure by the mark.
    words = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        sys.executable,
        "-m",
        "fleet.sandbox.containers.packages",
    ]
    subprocess.Popen(
        [*words, str(listening.fileno()), str(CACHE / "packages")],
        stdin=subprocess.DEVNULL,
        pass_fds=[listening.fileno()],
        env={**os.environ, MARK: str(directory.resolve() / "hosts")},
    )
    listening.close()
