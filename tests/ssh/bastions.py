"""A real SSH server that forwards connections, as a bastion host does, and counts who logs in."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED

from fleet.ssh import keys
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.openssh import known_hosts_name

ADDRESS = "127.0.0.1"


class _Door(paramiko.ServerInterface):
    """One connection to the bastion: forwards to loopback, runs nothing."""

    def __init__(self, accepted: str, logins: list[str]) -> None:
        self._accepted, self._logins = accepted, logins
        self.targets: dict[int, tuple[str, int]] = {}

    def get_allowed_auths(self, username: str) -> str:
        self._logins.append(username)
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._logins.append(username)
        known = keys.key_line(key) == self._accepted
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        self.targets[chanid] = destination
        return OPEN_SUCCEEDED


@dataclass(frozen=True)
class BastionHost:
    """Where the bastion listens, its host key, the key that it accepts, and the names that logged in."""

    port: int
    host_key: str
    private_key: str
    logins: list[str]

    @property
    def target(self) -> str:
        return f"jump@{ADDRESS}:{self.port}"

    def home(self, folder: Path, *, known: str | None = None) -> Path:
        """Make a home with the accepted key in it, and the host key (or another line) in known_hosts."""
        own = folder / ".ssh"
        own.mkdir(mode=0o700, parents=True)
        (own / "id_ed25519").write_text(self.private_key)
        (own / "id_ed25519").chmod(0o600)
        name = known_hosts_name(ADDRESS, self.port)
        line = self.host_key if known is None else known
        (own / "known_hosts").write_text(f"{name} {line}\n" if line else "")
        return folder


@contextmanager
def bastion_host() -> Iterator[BastionHost]:
    """Serve until the block ends. Not asyncssh: it drops a connection over a channel that closes early."""
    host_key, private_key = generate_private_key(), generate_private_key()
    logins: list[str] = []
    with socket.create_server((ADDRESS, 0), backlog=64) as listener:
        described = (keys.load_private_key(host_key), keys.public_line(private_key))
        threading.Thread(target=_accept, args=(listener, *described, logins), daemon=True).start()
        port = listener.getsockname()[1]
        yield BastionHost(port, keys.public_line(host_key), private_key, logins)
        listener.shutdown(socket.SHUT_RDWR)


def _accept(
    listener: socket.socket, host_key: paramiko.PKey, accepted: str, logins: list[str]
) -> None:
    with contextlib.suppress(OSError):
        while True:
            caller, _ = listener.accept()
            door = _Door(accepted, logins)
            threading.Thread(target=_serve, args=(caller, host_key, door), daemon=True).start()


def _serve(caller: socket.socket, host_key: paramiko.PKey, door: _Door) -> None:
    with (
        contextlib.suppress(OSError, EOFError, paramiko.SSHException),
        paramiko.Transport(caller) as transport,
    ):
        transport.add_server_key(host_key)
        transport.start_server(server=door)
        while transport.is_active():
            channel = transport.accept(0.5)
            if channel is not None:
                target = door.targets[channel.chanid]
                threading.Thread(target=_carry, args=(channel, target), daemon=True).start()


def _carry(channel: paramiko.Channel, target: tuple[str, int]) -> None:
    with (
        contextlib.suppress(OSError, EOFError),
        contextlib.closing(channel),
        socket.create_connection(target, timeout=10) as there,
    ):
        there.settimeout(None)
        while True:
            ready, _, _ = select.select([channel.fileno(), there.fileno()], [], [])
            for end, other in ((channel, there), (there, channel)):
                if end.fileno() in ready:
                    if not (data := end.recv(65536)):
                        return
                    other.sendall(data)
