"""A real SSH server on loopback, in a thread: runs commands with the real shell, or misbehaves as asked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import asyncssh

from fleet.ssh.connection import Host
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import load_private_key, public_line

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """Where the server listens, its host key, and the client's key that it accepts."""

    port: int
    host_key: str
    private_key: str
    logins: list[str]
    """Who began to log in."""

    def host(self, *, host_key: str | None = None, private_key: str | None = None) -> Host:
        """The host as it is on first contact, vouched for, or with a recorded key."""
        key = load_private_key(private_key or self.private_key)
        return Host(ADDRESS, self.port, "ubuntu", key, host_key, vouched=lambda: {self.host_key})


async def _run(process: asyncssh.SSHServerProcess[bytes]) -> None:
    given = await process.stdin.read()
    shell = await asyncio.create_subprocess_exec(
        "bash", "-c", process.command or "", stdin=-1, stdout=-1, stderr=-1
    )
    try:
        out, error = await shell.communicate(given)
    except asyncio.CancelledError:
        shell.kill()
        await shell.wait()
        raise
    process.stdout.write(out)
    process.stderr.write(error)
    process.exit(shell.returncode or 0)


def _fail(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.exit(1)


class _Logins(asyncssh.SSHServer):
    def __init__(self, logins: list[str]) -> None:
        self._logins = logins

    def begin_auth(self, username: str) -> bool:
        self._logins.append(username)
        return True


@contextmanager
def ssh_server(
    address: str = ADDRESS, port: int = 0, *, private_key: str = "", runs: bool = True
) -> Iterator[Server]:
    """Serve until the block ends, on a free port and for a key of its own unless others are asked for.

    With `runs` False every command fails, and nothing is run.
    """
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    private_key = private_key or generate_private_key()
    accepted = asyncssh.import_authorized_keys(public_line(private_key))
    loop = asyncio.new_event_loop()
    logins: list[str] = []

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            address,
            port,
            server_factory=lambda: _Logins(logins),
            server_host_keys=[host_key],
            authorized_client_keys=accepted,
            process_factory=_run if runs else _fail,
            sftp_factory=True,
            encoding=None,
        )

    acceptor = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    shown = " ".join(host_key.export_public_key().decode().split()[:2])
    try:
        yield Server(acceptor.get_port(), shown, private_key, logins)
    finally:
        asyncio.run_coroutine_threadsafe(_end(acceptor), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(acceptor: asyncssh.SSHAcceptor) -> None:
    acceptor.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def mute_port() -> Iterator[int]:
    """A port that accepts and says nothing."""
    with socket.create_server((ADDRESS, 0)) as listener:
        yield listener.getsockname()[1]
