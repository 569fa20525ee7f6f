"""What an SSH client sends to a session: bytes for its stdin, signals, the size of its terminal.

Written by hand because asyncio's pipe transport closes a pipe with bytes still unsent when its
protocol resumes reading from within `resume_writing` and meets the end there, which is what a
redirection does.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import struct
import termios
from typing import TYPE_CHECKING

import asyncssh

from fleet.sandbox.hosts import linux

if TYPE_CHECKING:
    from fleet.sandbox.hosts.children import Child

_CHUNK = 65536


def set_size(tty: int, size: tuple[int, int, int, int]) -> None:
    """Set a terminal's size; its foreground group hears SIGWINCH."""
    width, height, x, y = size
    fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, x, y))


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(fd, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(fd)


async def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            await _writable(fd)


def _signal(child: Child, name: str) -> None:
    number = signal.Signals.__members__.get(f"SIG{name}")
    if number and not child.exited.done():
        linux.send([-child.pid], number)  # the whole group, as sshd does


async def feed(
    process: asyncssh.SSHServerProcess[bytes], child: Child, fd: int, *, terminal: bool
) -> None:
    """Pass on all that the client sends until it sends no more, then close `fd`.

    A terminal stays open: its end is the end of the session.
    """
    os.set_blocking(fd, False)
    wanted = True
    try:
        while True:
            try:
                data = await process.stdin.read(_CHUNK)
            except asyncssh.TerminalSizeChanged as change:
                set_size(fd, change.term_size)
            except asyncssh.SignalReceived as received:
                _signal(child, received.signal)
            except asyncssh.BreakReceived:
                _signal(child, "INT")
            else:
                if not data:
                    break
                with contextlib.suppress(BrokenPipeError):
                    if wanted:
                        wanted = False
                        await _write(fd, data)
                        wanted = True
        if terminal:
            await child.exited
    finally:
        os.close(fd)
