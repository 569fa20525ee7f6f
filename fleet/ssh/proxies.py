"""Roads to a host: what SSH to it is spoken over. A TCP connection, a channel through a bastion host, or a command.

A road opens as many sockets as hosts are behind it. What no waiting mends (an unknown bastion, a refused login, a
program that is not there) is raised as our own error at once; all else as OSError or SSHException, to be tried again.
"""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import paramiko

from fleet.errors import FleetError, HostKeyError, UnreachableError

STEP_SECONDS = 15
"""Limit of each step: TCP connect, banner, authentication, opening a channel."""

KNOWN_HOSTS = Path("~/.ssh/known_hosts")
_END_SECONDS = 5
_MOST_SAID = 200

Sock = socket.socket | paramiko.Channel


class Proxy(Protocol):
    """A way for SSH's bytes. `words` is how a message names it, empty where nothing stands in between."""

    @property
    def words(self) -> str:
        """Name it in a message."""

    def held(self) -> AbstractContextManager[None]:
        """Keep open what hosts share, from one try to the next, until the block ends."""

    def open(self, address: str, port: int) -> Sock:
        """Open a socket to a host."""

    def complaint(self, sock: Sock) -> str:
        """Say what the road itself has said about a socket that does not work; empty where nothing."""

    def close(self, sock: Sock) -> None:
        """Close a socket."""


class Direct:
    """Straight to the host."""

    words = ""

    def held(self) -> AbstractContextManager[None]:
        """Nothing is shared."""
        return nullcontext()

    def open(self, address: str, port: int) -> Sock:
        """Connect."""
        sock = socket.create_connection((address, port), timeout=STEP_SECONDS)
        _without_delay(sock)
        return sock

    def complaint(self, sock: Sock) -> str:
        """Nothing stands in between."""
        return ""

    def close(self, sock: Sock) -> None:
        """Close it."""
        sock.close()


DIRECT = Direct()


class Bastion:
    """Through a bastion host: one connection to it, with a channel for each host behind it.

    Logs in as ssh would without a configuration: by the agent's and the user's own keys. The bastion's host key must
    stand in the user's known_hosts.
    """

    def __init__(self, target: str, *, known_hosts: Path = KNOWN_HOSTS) -> None:
        user, _, place = target.rpartition("@")
        self._host, _, port = place.partition(":")
        self._port = int(port or "22")
        self._user = user or getpass.getuser()
        self._known_hosts = known_hosts
        self._lock = threading.Lock()
        self._client: paramiko.SSHClient | None = None
        self._holders = 0
        self.target = target

    @property
    def words(self) -> str:
        """Name it in a message."""
        return f"through {self.target}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the connection until the last holder has left."""
        with self._lock:
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if self._holders == 0 and self._client is not None:
                    self._client.close()
                    self._client = None

    def open(self, address: str, port: int) -> Sock:
        """Open a channel. Raises HostKeyError or UnreachableError where the bastion is not to be used."""
        with self._lock:
            transport = self._transport()
        return transport.open_channel(
            "direct-tcpip", (address, port), ("127.0.0.1", 0), timeout=STEP_SECONDS
        )

    def complaint(self, sock: Sock) -> str:
        """What a bastion has to say comes when a channel is opened."""
        return ""

    def close(self, sock: Sock) -> None:
        """Close a channel."""
        sock.close()

    def check(self) -> None:
        """Log in to the bastion and leave. Raises UnreachableError or HostKeyError."""
        try:
            with self.held(), self._lock:
                self._transport()
        except (OSError, EOFError, paramiko.SSHException) as error:
            raise UnreachableError(
                f"no SSH connection to the bastion {self.target}: {str(error) or type(error).__name__}",
                remedy=f"check access.via, and `ssh {self.target}`",
            ) from error

    def _transport(self) -> paramiko.Transport:
        transport = self._client.get_transport() if self._client else None
        if transport is None or not transport.is_active():
            self._client = self._connect()
            transport = self._client.get_transport()
        if transport is None:
            raise EOFError(f"the connection to {self.target} has ended")
        return transport

    def _connect(self) -> paramiko.SSHClient:
        client = paramiko.SSHClient()
        with suppress(FileNotFoundError):
            client.load_system_host_keys(str(self._known_hosts.expanduser()))
        client.set_missing_host_key_policy(_Unknown(self.target))
        with ExitStack() as undo:
            undo.callback(client.close)
            self._log_in(client)
            undo.pop_all()
        return client

    def _log_in(self, client: paramiko.SSHClient) -> None:
        try:
            client.connect(
                self._host,
                self._port,
                self._user,
                timeout=STEP_SECONDS,
                banner_timeout=STEP_SECONDS,
                auth_timeout=STEP_SECONDS,
                channel_timeout=STEP_SECONDS,
            )
        except paramiko.BadHostKeyException as error:
            raise HostKeyError(
                f"the bastion {self.target} shows another host key than your known_hosts has",
                remedy="somebody may be in between: ask who runs it before you change known_hosts",
            ) from error
        except paramiko.SSHException as error:
            # Without any key to try paramiko raises the plain kind.
            if isinstance(error, paramiko.AuthenticationException) or "methods" in str(error):
                raise UnreachableError(
                    f"the bastion {self.target} does not accept your keys",
                    remedy=f"check `ssh {self.target}`, and `ssh-add -l`",
                ) from error
            raise


class _Unknown(paramiko.MissingHostKeyPolicy):
    """Refuses a bastion that the user never met: nothing is trusted on first use."""

    def __init__(self, target: str) -> None:
        self._target = target

    def missing_host_key(
        self,
        client: paramiko.SSHClient,
        hostname: str,
        key: paramiko.PKey,
    ) -> None:
        raise HostKeyError(
            f"the host key of the bastion {hostname} is not in your known_hosts ({key.fingerprint})",
            remedy=f"`ssh {self._target}` once, and compare the fingerprint with its owner's",
        )


@dataclass(frozen=True)
class Command:
    """Over the input and output of a command, as OpenSSH's ProxyCommand. `label` is how a message names it."""

    argv: tuple[str, ...]
    label: str
    _running: dict[Sock, tuple[subprocess.Popen[bytes], IO[bytes]]] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def words(self) -> str:
        """Name it in a message."""
        return f"over {self.label}"

    def held(self) -> AbstractContextManager[None]:
        """Nothing is shared: each socket has a command of its own."""
        return nullcontext()

    def open(self, address: str, port: int) -> Sock:  # the command knows where to
        """Start the command. A socket stands for both of its ends, so that time limits hold."""
        with ExitStack() as undo:
            ours, its = socket.socketpair()
            undo.callback(ours.close)
            said = undo.enter_context(tempfile.TemporaryFile())
            with its:
                # Of a session of its own: Ctrl-C is for us, and ends it by closing its socket.
                process = subprocess.Popen(
                    self.argv,
                    stdin=its.fileno(),
                    stdout=its.fileno(),
                    stderr=said,
                    start_new_session=True,
                )
            undo.pop_all()
        self._running[ours] = process, said
        return ours

    def complaint(self, sock: Sock) -> str:
        """The last line that the command wrote to its stderr."""
        process, said = self._running[sock]
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
        said.seek(0)
        lines = said.read().decode("utf-8", "replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:_MOST_SAID]

    def close(self, sock: Sock) -> None:
        """Close its input and output, and end it."""
        process, said = self._running.pop(sock)
        sock.close()
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        said.close()


def require_programs(names: Sequence[str], *, why: str, remedy: str) -> None:
    """Raise FleetError where one of the programs is not on this machine."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise FleetError(
            f"{why}, and {' and '.join(missing)} {verb} not on this machine", remedy=remedy
        )


def _without_delay(sock: socket.socket) -> None:
    """Scripts and progress are small writes: Nagle's algorithm would hold each back for 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
