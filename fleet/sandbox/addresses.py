"""The loopback addresses of one sandbox, and the port on which its hosts' SSH servers can listen.

A sandbox holds a block 127.K.0.0/16 by an abstract unix socket named for it: the kernel lets nobody
else bind the name, and frees it when the holder dies. So several sandboxes live side by side on one
machine.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading

from fleet.errors import SandboxError

_BLOCKS = range(64, 192)
_SSH_PORTS: tuple[int, ...] = (22, *range(2222, 2232))


class Addresses:
    """A block of 65,534 addresses. Each call gives the next one, never one twice."""

    def __init__(self) -> None:
        self._holder, block = _reserve()
        network = ipaddress.ip_network(f"127.{block}.0.0/16")
        self._hosts = network.hosts()
        self._lock = threading.Lock()
        self.network = str(network)

    def __call__(self) -> str:
        """The next address."""
        with self._lock:
            address = next(self._hosts, None)
        if address is None:
            raise SandboxError(
                f"all addresses of {self.network} have been given away",
                remedy="run `fleet sandbox stop`, then start it again",
            )
        return str(address)

    def close(self) -> None:
        """Give the block back."""
        self._holder.close()


def hold(block: str) -> socket.socket | None:
    """Hold a block of addresses until the socket is closed; None where another sandbox holds it."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(f"\0fleet-sandbox-{block}")
    except OSError:
        holder.close()
        return None
    return holder


def _reserve() -> tuple[socket.socket, int]:
    for block in _BLOCKS:
        if holder := hold(f"127.{block}"):
            return holder, block
    raise SandboxError(
        f"{len(_BLOCKS)} sandboxes run on this machine already",
        remedy="stop one with `fleet sandbox stop`",
    )


def ssh_port(network: str) -> int:
    """22 where this user may bind it and nobody holds it on every address, else 2222 or next."""
    address = str(next(ipaddress.ip_network(network).hosts()))
    for port in _SSH_PORTS:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            return port
    raise SandboxError(
        f"no SSH port can be bound on {address} (tried 22 and {_SSH_PORTS[1]}-{_SSH_PORTS[-1]})",
        remedy="free one of these ports",
    )
