"""A real SSH server that forwards connections, as a bastion host does, and counts who logs in."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import known_hosts_name, public_line

ADDRESS = "127.0.0.1"


class _Door(asyncssh.SSHServer):
    """One connection to the bastion: forwards to anywhere, runs nothing."""

    def __init__(self, logins: list[str]) -> None:
        self._logins = logins

    def begin_auth(self, username: str) -> bool:
        self._logins.append(username)
        return True

    def connection_requested(self, dest_host: str, dest_port: int, *_: object) -> Any:
        return lambda reader, writer: _carry(reader, writer, dest_host, dest_port)


async def _carry(reader: Any, writer: Any, host: str, port: int) -> None:
    """Carry one connection. asyncssh's own forwarder drops the whole connection when one channel is closed early."""
    with contextlib.suppress(OSError, asyncssh.Error), contextlib.closing(writer):
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(_pump(reader, back), _pump(there, writer))


async def _pump(source: Any, sink: Any) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    finally:
        sink.close()


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
        keys = folder / ".ssh"
        keys.mkdir(mode=0o700, parents=True)
        (keys / "id_ed25519").write_text(self.private_key)
        (keys / "id_ed25519").chmod(0o600)
        name = known_hosts_name(ADDRESS, self.port)
        line = self.host_key if known is None else known
        (keys / "known_hosts").write_text(f"{name} {line}\n" if line else "")
        return folder


@contextmanager
def bastion_host() -> Iterator[BastionHost]:
    """Serve until the block ends."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    private_key = generate_private_key()
    accepted = asyncssh.import_authorized_keys(public_line(private_key))
    logins: list[str] = []
    loop = asyncio.new_event_loop()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            ADDRESS,
            0,
            server_factory=lambda: _Door(logins),
            server_host_keys=[host_key],
            authorized_client_keys=accepted,
            encoding=None,
        )

    acceptor = loop.run_until_complete(listen())
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    shown = " ".join(host_key.export_public_key().decode().split()[:2])
    try:
        yield BastionHost(acceptor.get_port(), shown, private_key, logins)
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
