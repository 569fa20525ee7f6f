"""sd_notify: the datagram socket on which a service of Type=notify says that it is ready."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType


class Notice:
    """The socket of one run of a service, named for its invocation. Read as long as the service
    runs."""

    def __init__(self, invocation: str) -> None:
        self._name = f"fleet-notify-{invocation}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._ready = asyncio.Event()
        self.environment = {"NOTIFY_SOCKET": f"@{self._name}"}

    def __enter__(self) -> Self:
        self._socket.setblocking(False)  # noqa: FBT003
        self._socket.bind(f"\0{self._name}")
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if b"READY=1" in self._socket.recv(65536).splitlines():
                self._ready.set()

    async def ready(self, exited: asyncio.Future[int], allowed: float) -> None:
        """Wait for READY=1 or the end of the service. Raises TimeoutError after `allowed`
        seconds."""
        telling = asyncio.ensure_future(self._ready.wait())
        limit = None if allowed == float("inf") else allowed
        either: set[asyncio.Future[Any]] = {telling, exited}
        await asyncio.wait(either, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
        telling.cancel()
        if not self._ready.is_set() and not exited.done():
            raise TimeoutError
