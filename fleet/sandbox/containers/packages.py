"""The process that serves the hosts' package index: `python -m fleet.sandbox.containers.packages FD CACHE`.

FD is a socket that listens inside the VPC; this process itself is on the machine's own network.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from fleet.sandbox.containers.index import Index
from fleet.sandbox.containers.serving import server_on
from fleet.sandbox.containers.upstream import machine_upstream


def main() -> None:
    """Serve until the process is ended."""
    fd, cache = sys.argv[1:]
    server_on(socket.socket(fileno=int(fd)), Index(machine_upstream(), Path(cache))).serve_forever()


if __name__ == "__main__":
    main()
