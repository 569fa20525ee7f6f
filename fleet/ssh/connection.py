"""Opens one SSH connection to one host. Takes an address, a key and the recorded host key; gives a fabric Connection.

Never accepts a host key in silence: a recorded key must match, and a first one is handed to the caller to record.
Time limits everywhere: a mute peer is not noticed by keepalives.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import fabric
import paramiko

from fleet.errors import HostKeyError, UnreachableError
from fleet.ssh.keys import PrivateKey, key_line, known_hosts_name, parse_key_line
from fleet.ssh.roads import DIRECT, STEP_SECONDS, Road, Sock

# paramiko logs tracebacks of hosts that merely boot; without a handler Python prints them to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_RETRY_SECONDS = 1.0
_TOLD = (paramiko.AuthenticationException, paramiko.BadHostKeyException)
"""What the host itself has said."""


@dataclass(frozen=True)
class Host:
    """Where and as whom to log in, and over which road.

    `host_key` is the recorded `type base64`, None on first contact.
    """

    address: str
    port: int
    user: str
    private_key: PrivateKey
    host_key: str | None
    road: Road = DIRECT


class _FirstContact(paramiko.MissingHostKeyPolicy):
    """Keeps the key that the host shows on first contact, so that it gets recorded."""

    def __init__(self) -> None:
        self.shown: str | None = None

    def missing_host_key(
        self,
        client: paramiko.SSHClient,  # noqa: ARG002 - paramiko's signature
        hostname: str,  # noqa: ARG002
        key: paramiko.PKey,
    ) -> None:
        self.shown = key_line(key)


@dataclass(frozen=True)
class OpenHost:
    """A host with an open connection, and the host key that it has shown."""

    connection: fabric.Connection
    host_key: str
    sock: Sock


@contextmanager
def open_host(
    host: Host,
    *,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[OpenHost]:
    """Connect, trying again until `deadline` (on `clock`), for a host that still boots.

    Raises UnreachableError with the last reason when time is up, HostKeyError at once on a wrong key.
    """
    with host.road.held():
        opened = _connect_until(host, deadline, clock=clock, sleep=sleep, cancelled=cancelled)
        try:
            yield opened
        finally:
            with suppress(OSError, EOFError, paramiko.SSHException):
                opened.connection.close()
            with suppress(OSError, EOFError, paramiko.SSHException):
                host.road.close(opened.sock)


def _connect_until(
    host: Host,
    deadline: float,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> OpenHost:
    while True:
        try:
            return _connect(host)
        except paramiko.BadHostKeyException as error:
            raise _changed_key(host) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            if clock() >= deadline or cancelled():
                raise _unreachable(host, error) from error
            sleep(_RETRY_SECONDS)


def _connect(host: Host) -> OpenHost:
    with ExitStack() as undo:
        sock = host.road.open(host.address, host.port)
        undo.callback(host.road.close, sock)
        try:
            connection, shown = _log_in(host, sock, undo)
        except (EOFError, paramiko.SSHException) as error:
            # Of the login itself a road knows nothing; of a connection that ended it may know why.
            said = "" if isinstance(error, _TOLD) else host.road.complaint(sock)
            if said:
                raise ConnectionError(said) from error
            raise
        undo.pop_all()
    key = shown.shown or host.host_key or ""
    return OpenHost(connection, key, sock)


def _log_in(host: Host, sock: Sock, undo: ExitStack) -> tuple[fabric.Connection, _FirstContact]:
    connection = fabric.Connection(
        host.address,
        user=host.user,
        port=host.port,
        config=fabric.Config(overrides={"load_ssh_configs": False}),
        connect_kwargs={
            "sock": sock,
            "pkey": host.private_key,
            "allow_agent": False,
            "look_for_keys": False,
            "timeout": STEP_SECONDS,
            "banner_timeout": STEP_SECONDS,
            "auth_timeout": STEP_SECONDS,
            "channel_timeout": STEP_SECONDS,
        },
    )
    undo.callback(connection.client.close)  # ends paramiko's thread before its socket goes
    shown = _verify_by(connection.client, host)
    connection.open()
    return connection, shown


def _verify_by(client: paramiko.SSHClient, host: Host) -> _FirstContact:
    first_contact = _FirstContact()
    known = parse_key_line(host.host_key or "")
    if known is None:
        client.set_missing_host_key_policy(first_contact)
    else:
        name = known_hosts_name(host.address, host.port)
        client.get_host_keys().add(name, known.get_name(), known)
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
    return first_contact


def _changed_key(host: Host) -> HostKeyError:
    return HostKeyError(
        f"{host.address} shows another SSH host key than the one recorded in its tag",
        remedy="somebody may be in between: compare with the instance's console output "
        "before you delete the tag fleet:host-key",
    )


def _unreachable(host: Host, error: Exception) -> UnreachableError:
    where = " ".join((f"{host.user}@{host.address}:{host.port}", host.road.words)).strip()
    if isinstance(error, paramiko.AuthenticationException):
        return UnreachableError(
            f"SSH to {where} refuses the fleet's key",
            remedy="check that the image's login user is right and that cloud-init has run",
        )
    said = str(error) or type(error).__name__
    return UnreachableError(
        f"no SSH connection to {where}: {said}",
        remedy="check that access.from has your address, and the instance's console output",
    )
