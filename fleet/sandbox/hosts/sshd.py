"""A host's SSH server: one user, public keys only, programs, terminals, files and forwarded ports.

Takes bytes from the network, starts children through init. The keys accepted are those in the
user's authorized_keys, as on any host: what the instance was launched with stands there from the
first boot.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncssh

from fleet.sandbox.hosts import stdin
from fleet.sandbox.hosts.children import CANNOT_EXECUTE, Child, Children, Streams
from fleet.sandbox.hosts.paths import HostPaths, below

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig

_SHELL = "/bin/bash"
_LOCAL = ("localhost", "ip6-localhost", "::1", "0.0.0.0")  # noqa: S104 - compared, not bound
_LEFTOVERS = 0.5
"""Seconds that a terminal is still read after its shell has ended."""


@dataclass(frozen=True)
class Site:
    """What sessions need of the host they are on."""

    host: HostConfig
    paths: HostPaths
    environment: Mapping[str, str]
    children: Children


class Files(asyncssh.SFTPServer):
    """SFTP and scp, below the host's own folder and in /tmp."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes], paths: HostPaths) -> None:
        super().__init__(chan)
        self._paths = paths

    def exit(self) -> None:
        """Say that all is well: scp fails without an exit status, and asyncssh sends none."""
        with contextlib.suppress(OSError):  # the client has left
            self.channel.exit(0)

    def map_path(self, path: bytes) -> bytes:
        """Relative paths start at the home; /etc and the like are the host's own."""
        text = os.fsdecode(path)
        whole = text if text.startswith("/") else f"{self._paths.home}/{text}"
        return os.fsencode(self._paths.real(whole))

    def reverse_map_path(self, path: bytes) -> bytes:
        """What a client is told: a path that means the same when it comes back."""
        text = os.fsdecode(path)
        root = str(self._paths.root)
        if below(text, root):
            return os.fsencode(text.removeprefix(root) or "/")
        return path


class Server(asyncssh.SSHServer):
    """One connection. Nothing but the host's user with one of its keys gets in."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def begin_auth(self, username: str) -> bool:
        """Everyone must authenticate."""
        return True

    def public_key_auth_supported(self) -> bool:
        """The only method there is."""
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Whether `key` stands in the authorized_keys of the host's user."""
        if username != self._site.host.user:
            return False
        offered = key.public_data
        return any(each.public_data == offered for each in _authorized(self._site.paths))

    def connection_requested(  # type: ignore[override]  # asyncssh takes any session, says one
        self,
        dest_host: str,
        dest_port: int,
        orig_host: str,
        orig_port: int,
    ) -> bool | Awaitable[asyncssh.SSHForwarder]:
        """A forwarded port. `localhost` on a host is its own address; the world is not reached."""
        address = self._site.host.address
        if dest_host in _LOCAL or dest_host in {"127.0.0.1", self._site.environment["HOSTNAME"]}:
            return self._connection.forward_connection(address, dest_port)
        return dest_host.startswith("127.")

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        """Keep the connection: forwarding goes through it."""
        self._connection = conn


def _authorized(paths: HostPaths) -> list[asyncssh.SSHKey]:
    keys = []
    try:
        text = (paths.home / ".ssh/authorized_keys").read_text()
    except OSError:
        return []
    for line in text.splitlines():
        fields = line.split("#", 1)[0].split()
        starts = [
            at for at, field in enumerate(fields) if field.startswith(("ssh-", "ecdsa-", "sk-"))
        ]
        with contextlib.suppress(asyncssh.KeyImportError):
            if starts:  # anything before is options
                keys.append(asyncssh.import_public_key(" ".join(fields[starts[0] :])))
    return keys


class Sessions:
    """Runs what a client asks for: a command, a shell, on pipes or on a terminal."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def run(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        """One session, until what it ran has ended and said all."""
        terminal = process.term_type is not None
        try:
            child, source = await (self._on_terminal if terminal else self._on_pipes)(process)
        except OSError as error:
            process.stderr.write(f"{error}\n".encode())
            process.exit(CANNOT_EXECUTE)
            return
        feeding = asyncio.create_task(stdin.feed(process, child, source, terminal=terminal))
        code = await child.exited
        await self._drain(process)
        _tell(process, code)
        feeding.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, asyncssh.Error):
            await feeding
        await process.wait_closed()

    def _argv(self, process: asyncssh.SSHServerProcess[bytes]) -> list[str]:
        if process.command is not None:
            return [_SHELL, "-c", process.command]
        if process.term_type is None:
            return [_SHELL]
        return [_SHELL, "--rcfile", str(self._site.paths.home / ".bashrc"), "-i"]

    def _environment(self, process: asyncssh.SSHServerProcess[bytes]) -> dict[str, str]:
        peer, own = process.get_extra_info("peername"), process.get_extra_info("sockname")
        sent = {
            name: text for name, text in process.env.items() if name.startswith(("LANG", "LC_"))
        }
        term = {"TERM": process.term_type} if process.term_type is not None else {}
        connection = f"{peer[0]} {peer[1]} {own[0]} {own[1]}"
        return {**self._site.environment, **sent, **term, "SSH_CONNECTION": connection}

    def _spawn(self, process: asyncssh.SSHServerProcess[bytes], streams: Streams) -> Child:
        return self._site.children.spawn(
            self._argv(process),
            environment=self._environment(process),
            directory=self._site.paths.home,
            streams=streams,
        )

    async def _on_pipes(self, process: asyncssh.SSHServerProcess[bytes]) -> tuple[Child, int]:
        """Start it on three pipes; with it, the end of its stdin that is written to."""
        source, out, err = os.pipe(), os.pipe(), os.pipe()
        try:
            streams = Streams(stdin=source[0], stdout=out[1], stderr=err[1])
            child = self._spawn(process, streams)
        except OSError:
            for fd in (source[1], out[0], err[0]):
                os.close(fd)
            raise
        finally:
            for fd in (source[0], out[1], err[1]):
                os.close(fd)
        # An EOF on one stream would close the channel for both: it is sent when the command ended.
        await process.redirect(stdout=out[0], stderr=err[0], send_eof=False)
        return child, source[1]

    async def _on_terminal(self, process: asyncssh.SSHServerProcess[bytes]) -> tuple[Child, int]:
        """Start it on a terminal; with it, the terminal's other side."""
        master, slave = os.openpty()
        stdin.set_size(slave, process.term_size)
        try:
            child = self._spawn(process, Streams(tty=slave))
        except OSError:
            os.close(master)
            raise
        finally:
            os.close(slave)
        await process.redirect(stdout=os.dup(master), send_eof=False)
        return child, master

    async def _drain(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        # Without a terminal, a session lasts until the last holder of its output has closed it: as
        # sshd does.
        limit = None if process.term_type is None else _LEFTOVERS
        with contextlib.suppress(TimeoutError, OSError, asyncssh.Error):
            async with asyncio.timeout(limit):
                await process.stdout.drain()
                await process.stderr.drain()


def _tell(process: asyncssh.SSHServerProcess[bytes], code: int) -> None:
    with contextlib.suppress(OSError):  # the client has left
        if code >= 0:
            process.exit(code)
        else:
            process.exit_with_signal(signal.Signals(-code).name.removeprefix("SIG"))


async def listen(site: Site, key: asyncssh.SSHKey) -> asyncssh.SSHAcceptor:
    """Serve on the host's address. Raises OSError when the port is taken."""
    sessions = Sessions(site)
    return await asyncssh.listen(
        site.host.address,
        site.host.ssh_port,
        server_host_keys=[key],
        server_factory=lambda: Server(site),
        process_factory=sessions.run,
        sftp_factory=lambda chan: Files(chan, site.paths),
        allow_scp=False,  # old clients find the machine's own scp on PATH; asyncssh's ends too early
        encoding=None,
        line_editor=False,
        server_version="OpenSSH_9.6p1-fleet-sandbox",
        login_timeout=60,
        keepalive_interval=0,
        reuse_address=True,
        backlog=128,
    )
