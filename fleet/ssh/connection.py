"""Opens one SSH connection to one host. Takes an address, a key and the recorded host key; gives a fabric Connection.

Never accepts a host key that nobody vouches for: a recorded key must match, and on first contact the key must be
among those that the caller knows from elsewhere. Time limits everywhere: a mute peer is not noticed by keepalives.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import fabric
import paramiko

from fleet.errors import HostKeyError, UnreachableError
from fleet.ssh.keys import PrivateKey, key_line, parse_key_line
from fleet.ssh.openssh import known_hosts_name
from fleet.ssh.proxies import DIRECT, STEP_SECONDS, Proxy, Sock

# paramiko logs tracebacks of hosts that merely boot; without a handler Python prints them to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())

_RETRY_SECONDS = 1.0
_VOUCH_SECONDS = 5.0
"""Between two questions for a new host's keys: each costs a call of AWS."""
_TOLD = (paramiko.AuthenticationException, paramiko.BadHostKeyException)
"""What the host itself has said."""


@dataclass(frozen=True)
class Host:
    """Where and as whom to log in, and over which road.

    `host_key` is the recorded `type base64`, None on first contact. Then `vouched` is asked, once the host shows a
    key and before anything of ours is sent, for the keys that it is known to have: none of them as long as nobody
    knows. Without it no key is accepted.
    """

    address: str
    port: int
    user: str
    private_key: PrivateKey
    host_key: str | None
    proxy: Proxy = DIRECT
    vouched: Callable[[], Collection[str]] | None = None


class _NobodyVouchesError(paramiko.SSHException):
    """Not yet known which keys the host has: to be tried again."""


class _Verify(paramiko.MissingHostKeyPolicy):
    """Takes a key without a record only where somebody vouches for it, and keeps it to be recorded."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.shown: str | None = None

    def missing_host_key(
        self,
        client: paramiko.SSHClient,
        hostname: str,
        key: paramiko.PKey,
    ) -> None:
        if self._host.host_key:  # a key of another type than the recorded one
            raise _changed_key(self._host)
        if self._host.vouched is None:
            raise _unknown_key(self._host)
        vouched = self._host.vouched()
        if not vouched:
            raise _NobodyVouchesError("its console output does not show its host keys yet")
        if key_line(key) not in vouched:
            raise _foreign_key(self._host, key)
        self.shown = key_line(key)


@dataclass(frozen=True)
class OpenHost:
    """A host with an open connection, and the host key by which it was verified."""

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

    Raises UnreachableError with the last reason when time is up, HostKeyError at once on a wrong key, or when nobody
    has vouched for its first one by then.
    """
    with host.proxy.held():
        opened = _connect_until(host, deadline, clock=clock, sleep=sleep, cancelled=cancelled)
        try:
            yield opened
        finally:
            with suppress(OSError, EOFError, paramiko.SSHException):
                opened.connection.close()
            with suppress(OSError, EOFError, paramiko.SSHException):
                host.proxy.close(opened.sock)


def _connect_until(
    host: Host,
    deadline: float,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    cancelled: Callable[[], bool],
) -> OpenHost:
    pause = _RETRY_SECONDS
    while True:
        try:
            return _connect(host)
        except paramiko.BadHostKeyException as error:
            raise _changed_key(host) from error
        except (OSError, EOFError, paramiko.SSHException) as error:
            silent = isinstance(error, _NobodyVouchesError)
            if clock() >= deadline or cancelled():
                raise (_unvouched(host) if silent else _unreachable(host, error)) from error
            sleep(pause)
            pause = min(2 * pause, _VOUCH_SECONDS) if silent else _RETRY_SECONDS


def _connect(host: Host) -> OpenHost:
    with ExitStack() as undo:
        sock = host.proxy.open(host.address, host.port)
        undo.callback(host.proxy.close, sock)
        try:
            connection, shown = _log_in(host, sock, undo)
        except (EOFError, paramiko.SSHException) as error:
            # Of the login itself a road knows nothing; of a connection that ended it may know why.
            said = "" if isinstance(error, _TOLD) else host.proxy.complaint(sock)
            if said:
                raise ConnectionError(said) from error
            raise
        undo.pop_all()
    key = shown.shown or host.host_key or ""
    return OpenHost(connection, key, sock)


def _log_in(host: Host, sock: Sock, undo: ExitStack) -> tuple[fabric.Connection, _Verify]:
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


def _verify_by(client: paramiko.SSHClient, host: Host) -> _Verify:
    verify = _Verify(host)
    client.set_missing_host_key_policy(verify)
    known = parse_key_line(host.host_key or "")
    if known is not None:
        name = known_hosts_name(host.address, host.port)
        client.get_host_keys().add(name, known.get_name(), known)
    return verify


def _changed_key(host: Host) -> HostKeyError:
    return HostKeyError(
        f"{host.address} shows another SSH host key than the one recorded in its tag",
        remedy="somebody may be in between: compare with the instance's console output "
        "before you delete the tag fleet:host-key",
    )


def _foreign_key(host: Host, key: paramiko.PKey) -> HostKeyError:
    return HostKeyError(
        f"{host.address} shows an SSH host key ({key.fingerprint}) that is not in the instance's console output",
        remedy="somebody may be in between: nothing was sent to it; look with `aws ec2 get-console-output`",
    )


def _unvouched(host: Host) -> HostKeyError:
    return HostKeyError(
        f"the instance at {host.address} has not printed its SSH host keys to its console in time",
        remedy="run `fleet up` again; an image without cloud-init's keys-to-console never prints them",
    )


def _unknown_key(host: Host) -> HostKeyError:
    return HostKeyError(
        f"the SSH host key of {host.address} is not recorded",
        remedy="run `fleet up` on its spec again",
    )


def _unreachable(host: Host, error: Exception) -> UnreachableError:
    where = " ".join((f"{host.user}@{host.address}:{host.port}", host.proxy.words)).strip()
    if isinstance(error, paramiko.AuthenticationException):
        return UnreachableError(
            f"SSH to {where} refuses the fleet's key",
            remedy="check that the image's login user is right and that cloud-init has run",
        )
    said = str(error) or type(error).__name__
    if isinstance(error, EOFError | paramiko.SSHException):
        said = f"something accepts the connection, but no SSH server answers ({said})"
    return UnreachableError(
        f"no SSH connection to {where}: {said}",
        remedy="check that access.from has your address, and the instance's console output",
    )
