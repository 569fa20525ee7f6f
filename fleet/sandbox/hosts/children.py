"""Init's children: started in one place, so that they are reaped in one place.

A host's init is the parent of every orphan on the host; it must wait for any child, not for one it
knows.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.sandbox.hosts import linux

CANNOT_EXECUTE = 127
_OFTEN_IGNORED = (
    *(signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGCHLD),
    *(signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGUSR1, signal.SIGUSR2),
)


@dataclass(frozen=True)
class Streams:
    """File descriptors of a child's stdin, stdout and stderr, or `tty` for all three and a
    terminal."""

    stdin: int = subprocess.DEVNULL
    stdout: int = subprocess.DEVNULL
    stderr: int = subprocess.DEVNULL
    tty: int | None = None


@dataclass(frozen=True)
class Child:
    """A process that init started. `exited` gives its exit code, negative for a signal."""

    pid: int
    exited: asyncio.Future[int]


def _default_signals() -> None:
    # What somebody up to the sandbox's own caller ignores or blocks (nohup does) is inherited.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in _OFTEN_IGNORED:
        signal.signal(number, signal.SIG_DFL)


class Children:
    """Starts processes and reaps everything. Needs the running loop's SIGCHLD."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[int, asyncio.Future[int]] = {}
        loop.add_signal_handler(signal.SIGCHLD, self.reap)

    def reap(self) -> None:
        """Bury whoever has ended and tell who waits."""
        for pid, code in linux.reap():
            future = self._waiting.pop(pid, None)
            if future and not future.done():
                future.set_result(code)

    def spawn(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        streams: Streams,
        prepare: Callable[[], object] | None = None,
    ) -> Child:
        """Start `argv` in a session of its own. Raises OSError when there is no such program.

        `prepare` runs in the child before it becomes the program.
        """
        tty = streams.tty

        def in_child() -> None:
            _default_signals()
            if tty is not None:
                os.login_tty(tty)
            if prepare:
                prepare()

        popen = subprocess.Popen(
            list(argv),
            env=dict(environment),
            cwd=directory,
            stdin=streams.stdin,
            stdout=streams.stdout,
            stderr=streams.stderr,
            start_new_session=tty is None,
            preexec_fn=in_child,  # noqa: PLW1509 - init has one thread
        )
        popen.returncode = 0  # reaped here, by nobody else
        future: asyncio.Future[int] = self._loop.create_future()
        self._waiting[popen.pid] = future
        return Child(popen.pid, future)

    async def end_all(self, *, grace: float) -> None:
        """End everything below this process: SIGTERM, up to `grace` seconds, SIGKILL until none is
        left.

        A program that forks faster than it can be killed is init's parent's to deal with.
        """
        me, loop = os.getpid(), self._loop
        began = loop.time()
        linux.send([each.pid for each in linux.descendants(me)], signal.SIGTERM)
        while left := [each.pid for each in linux.descendants(me)]:
            waited = loop.time() - began
            if waited > grace:
                linux.send(left, signal.SIGKILL)
            if waited > grace + 5:
                return
            await asyncio.sleep(0.01 if waited < 0.2 else 0.03)
            self.reap()
