"""Forwards ports of this machine to a host through an open SSH connection, as `ssh -L` does."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress

import paramiko

from fleet.ssh.connection import OpenHost

_HERE = "127.0.0.1"
_OPEN_SECONDS = 15
_CHUNK = 65536
_POLL_SECONDS = 0.5


@contextmanager
def forwarded(
    host: OpenHost, *, address: str, ports: Sequence[int], same: bool = False
) -> Iterator[tuple[int, ...]]:
    """Listen on a free port of 127.0.0.1 for each of the host's ports, until the block ends.

    `address` is the one that the services listen on, as the host knows it. With `same`, the host's own port
    numbers are taken here too, where they are free.
    """
    over = threading.Event()
    with ExitStack() as listening:
        listening.callback(over.set)
        local = []
        for port in ports:
            listener = listening.enter_context(_listen(port if same else 0))
            listener.settimeout(_POLL_SECONDS)
            local.append(listener.getsockname()[1])
            threading.Thread(
                target=_accept, args=(host, listener, (address, port), over), daemon=True
            ).start()
        yield tuple(local)


def _listen(port: int) -> socket.socket:
    """Listen on a port of this machine, or on any where it is taken, or not for this user to take."""
    if port:
        with suppress(OSError):
            return socket.create_server((_HERE, port))
    return socket.create_server((_HERE, 0))


def _accept(
    host: OpenHost, listener: socket.socket, target: tuple[str, int], over: threading.Event
) -> None:
    while not over.is_set():
        try:
            caller, peer = listener.accept()
        except TimeoutError:
            continue
        except OSError:
            return
        threading.Thread(
            target=_carry, args=(host, caller, peer, target, over), daemon=True
        ).start()


def _carry(
    host: OpenHost,
    caller: socket.socket,
    peer: tuple[str, int],
    target: tuple[str, int],
    over: threading.Event,
) -> None:
    """Carry one connection. What goes wrong shows to the caller as a connection that ends."""
    with closing(caller), suppress(OSError, EOFError, paramiko.SSHException):
        channel = host.connection.transport.open_channel(
            "direct-tcpip", target, peer, timeout=_OPEN_SECONDS
        )
        with closing(channel):
            _pass_on(caller, channel, over)


def _pass_on(caller: socket.socket, channel: paramiko.Channel, over: threading.Event) -> None:
    """Pass bytes on both ways. When the caller has said all, the host still may; when the host has, it is over."""
    reading: list[socket.socket | paramiko.Channel] = [caller, channel]
    while not over.is_set():
        ready, _, _ = select.select(reading, [], [], _POLL_SECONDS)
        if channel in ready:
            if not (data := channel.recv(_CHUNK)):
                return
            caller.sendall(data)
        if caller in ready:
            if data := caller.recv(_CHUNK):
                channel.sendall(data)
            else:
                channel.shutdown_write()
                reading.remove(caller)
