"""Services of one host: started, watched, started again, ended with all their descendants.

A service's processes are found by the INVOCATION_ID in their environment, so that one which has
escaped its session and its parent is still the service's: what a control group gives on a real
host.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.hosts import linux, units
from fleet.sandbox.hosts.children import Child, Children, Streams
from fleet.sandbox.hosts.notify import Notice

if TYPE_CHECKING:
    from fleet.sandbox.hosts.journal import Journal
    from fleet.sandbox.hosts.paths import HostPaths
    from fleet.sandbox.hosts.units import ExecLine, Unit

_CLEAN_SIGNALS = (-signal.SIGHUP, -signal.SIGINT, -signal.SIGTERM, -signal.SIGPIPE)
_EXEC_FAILED = 203
_LAST_WORDS = 2.0
"""Seconds that the output of an ended service is still read."""


@dataclass(frozen=True)
class Surroundings:
    """What services need of their host. `standin` gives the stand-in for a program's name, if
    any."""

    paths: HostPaths
    environment: Mapping[str, str]
    children: Children
    journal: Journal
    standin: Callable[[str], str | None]


class Service:
    """One loaded service and its state, in systemd's words."""

    def __init__(self, unit: Unit, around: Surroundings) -> None:
        self.unit = unit
        self.active, self.sub, self.result = "inactive", "dead", "success"
        self.main_pid, self.exit_status, self.restarts = 0, 0, 0
        self.active_since: float | None = None
        self.invocation = ""
        self._around = around
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        self._stopping = False
        self._starts: list[float] = []

    # -- what systemctl asks ------------------------------------------------------------------

    async def start(self) -> bool:
        """Start, and wait until it is up (as its Type says) or has failed."""
        if self._task and not self._task.done() and self.sub != "auto-restart":
            await self._settled.wait()
            return self.active in {"active", "activating"}
        await self._cancel()
        if self._limit_hit():
            self._state("failed", "failed", result="start-limit-hit")
            self._say("Start request repeated too quickly.")
            return False
        self.begin()
        await self._settled.wait()
        return self.result == "success"

    def begin(self) -> None:
        """Start and do not wait. The service must not be running."""
        self._stopping = False
        self._settled.clear()
        self._task = asyncio.create_task(self._live())

    async def stop(self, *, limit: float | None = None) -> None:
        """End every process of the service; `limit` caps TimeoutStopSec."""
        self._stopping = True
        if self.active not in {"inactive", "failed"} or self.members():
            allowed = min(self.unit.stop_seconds, limit if limit is not None else 1e9)
            if self.main_pid:
                self._state("deactivating", "stop-sigterm")
                for line in self.unit.stop:
                    await self._run_line(line, allowed)
            await self._end_members(allowed)
            self._say(f"Stopped {self.unit.name} - {self.unit.description}.")
        await self._cancel()
        self._state("inactive", "dead")

    def reset_failed(self) -> None:
        """Forget a failure."""
        self._starts.clear()
        if self.active == "failed":
            self._state("inactive", "dead")

    def members(self) -> list[int]:
        """Every process of the service."""
        mark = f"INVOCATION_ID={self.invocation}".encode()
        found = linux.descendants(os.getpid()) if self.invocation else []
        return [
            each.pid
            for each in found
            if each.session == self.main_pid or mark in linux.environment_of(each.pid).split(b"\0")
        ]

    # -- its life -----------------------------------------------------------------------------

    async def _live(self) -> None:
        while True:
            self.invocation = uuid.uuid4().hex
            self._starts.append(time.monotonic())
            self._state("activating", "start")
            try:
                code = await self._once()
            except TimeoutError:
                code = None
                self._say("Start operation timed out. Terminating.")
            await self._end_members(min(self.unit.stop_seconds, 5.0))
            self.main_pid = 0
            if self._stopping:
                self._settled.set()
                return
            if not self._again(code):
                self._settled.set()
                return
            self._state("activating", "auto-restart", result=self.result)
            self._settled.set()
            await asyncio.sleep(self.unit.restart_seconds)
            self.restarts += 1
            self._say(f"Scheduled restart job, restart counter is at {self.restarts}.")
            if self._limit_hit():
                self._say("Start request repeated too quickly.")
                self._state("failed", "failed", result="start-limit-hit")
                return

    async def _once(self) -> int | None:
        """One run, from ExecStartPre to the end of the main process: its exit code."""
        unit = self.unit
        self._make_folders()
        for line in unit.start_pre:
            code = await self._run_line(line, unit.start_seconds)
            if code:
                return code
        if unit.type == "oneshot":
            return await self._oneshot()
        with contextlib.ExitStack() as stack:
            notice = stack.enter_context(Notice(self.invocation)) if unit.type == "notify" else None
            child, said = self._spawn(unit.start[0], notice.environment if notice else {})
            self.main_pid = child.pid
            if notice:
                await notice.ready(child.exited, unit.start_seconds)
            if not child.exited.done():
                self._state("active", "running")
                self._say(f"Started {unit.name} - {unit.description}.")
                self._settled.set()
            code = await child.exited
        await _listen_out(said)
        return code

    def _make_folders(self) -> None:
        for folder in self.unit.folders:
            Path(self._around.paths.real(folder)).mkdir(parents=True, exist_ok=True)

    async def _oneshot(self) -> int:
        for line in self.unit.start:
            code = await self._run_line(line, self.unit.start_seconds)
            if code:
                return code
        self._say(f"Finished {self.unit.name} - {self.unit.description}.")
        return 0

    def _again(self, code: int | None) -> bool:
        """Record how the run ended, and whether the service starts again."""
        unit, clean = self.unit, code == 0 or code in _CLEAN_SIGNALS
        if clean and unit.type == "oneshot" and unit.remain_after_exit:
            self._state("active", "exited")
            return False
        self.exit_status = abs(code) if code is not None else 0
        self.result = "success" if clean else "exit-code" if (code or 0) > 0 else "signal"
        self.result = "timeout" if code is None else self.result
        if not clean:
            self._say(f"Main process exited, code={self.result}, status={self.exit_status}")
            self._say(f"Failed with result '{self.result}'.")
        wanted = {"always": True, "on-success": clean, "on-failure": not clean}
        wanted |= {"on-abnormal": not clean and self.result != "exit-code"}
        wanted |= {"on-abort": self.result == "signal"}
        if wanted.get(unit.restart, False):
            return True
        self._state("inactive", "dead") if clean else self._state("failed", "failed", self.result)
        return False

    def _limit_hit(self) -> bool:
        since = time.monotonic() - self.unit.limit_seconds
        self._starts = [at for at in self._starts if at > since]
        return 0 < self.unit.limit_burst <= len(self._starts) and self.unit.limit_seconds > 0

    def _state(self, active: str, sub: str, result: str = "success") -> None:
        if active == "active" and self.active != "active":
            self.active_since = time.time()
        self.active, self.sub, self.result = active, sub, result

    def _say(self, text: str) -> None:
        self._around.journal.write(self.unit.name, "systemd", 1, text)

    async def _cancel(self) -> None:
        if self._task and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.main_pid = 0
        self._settled.set()

    async def _end_members(self, allowed: float) -> None:
        number = getattr(signal, self.unit.kill_signal, signal.SIGTERM)
        linux.send(self.members(), number)
        began = time.monotonic()
        while left := self.members():
            waited = time.monotonic() - began
            if waited > allowed:
                linux.send(left, signal.SIGKILL)
            if waited > allowed + 10:
                break
            await asyncio.sleep(0.02)

    # -- its processes ------------------------------------------------------------------------

    async def _run_line(self, line: ExecLine, allowed: float) -> int:
        """Run one Exec line to its end; 0 where it may fail. Raises TimeoutError."""
        child, said = self._spawn(line, {})
        if self.unit.type == "oneshot":
            self.main_pid = child.pid
        limit = None if allowed == float("inf") else allowed
        code = await asyncio.wait_for(asyncio.shield(child.exited), limit)
        await _listen_out(said)
        return 0 if line.may_fail else code

    def _spawn(self, line: ExecLine, more: Mapping[str, str]) -> tuple[Child, asyncio.Future[None]]:
        """Start the words of `line`. A program that cannot start counts as one that exited with
        203."""
        around, unit = self._around, self.unit
        reader, writer = os.pipe()
        ident = "systemd"
        try:
            environment = {**self._environment(), **more}
            argv = self._argv(line, environment)
            ident = Path(argv[0]).name
            with contextlib.ExitStack() as stack:
                child = around.children.spawn(
                    argv,
                    environment=environment,
                    directory=self._directory(),
                    streams=self._streams(writer, stack),
                    prepare=lambda: os.umask(unit.umask),
                )
        except (OSError, ValueError) as error:
            around.journal.write(unit.name, "systemd", 1, f"Failed to execute command: {error}")
            child = Child(0, asyncio.get_running_loop().create_future())
            child.exited.set_result(_EXEC_FAILED)
        finally:
            os.close(writer)
        return child, around.journal.attach(unit.name, ident, child.pid, reader)

    def _streams(self, journal: int, stack: contextlib.ExitStack) -> Streams:
        out = self._sink(self.unit.output, journal, stack)
        return Streams(
            stdout=out,
            stderr=out
            if self.unit.error == "inherit"
            else self._sink(self.unit.error, journal, stack),
        )

    def _sink(self, target: str, journal: int, stack: contextlib.ExitStack) -> int:
        kind, _, path = target.partition(":")
        if kind not in {"file", "append", "truncate"}:
            return subprocess.DEVNULL if kind == "null" else journal
        real = Path(self._around.paths.existing(path))
        return stack.enter_context(real.open("wb" if kind == "truncate" else "ab")).fileno()

    def _environment(self) -> dict[str, str]:
        unit, paths = self.unit, self._around.paths
        own = dict(unit.environment)
        for name in unit.environment_files:
            file = Path(paths.existing(name.lstrip("-")))
            if file.exists() or not name.startswith("-"):
                own |= units.environment_file(file.read_text())
        own = {
            name: paths.existing(text) if text.startswith("/") else text
            for name, text in own.items()
        }
        return {**self._around.environment, **own, "INVOCATION_ID": self.invocation}

    def _argv(self, line: ExecLine, environment: Mapping[str, str]) -> list[str]:
        argv = units.arguments(line, environment)
        standin = self._around.standin(Path(argv[0]).name)
        if standin:
            argv[0] = standin
        elif "/" not in argv[0]:
            argv[0] = shutil.which(argv[0], path=environment["PATH"]) or argv[0]
        return [self._around.paths.word(word) for word in argv]

    def _directory(self) -> Path:
        paths, unit = self._around.paths, self.unit
        if not unit.directory:
            return paths.home if unit.user else paths.root
        chosen = paths.home if unit.directory == "~" else Path(paths.existing(unit.directory))
        if unit.directory_optional and not chosen.is_dir():
            return paths.root
        return chosen


async def _listen_out(said: asyncio.Future[None]) -> None:
    # A descendant may hold the pipe open; it is ended next, and its last words come later.
    await asyncio.wait([said], timeout=_LAST_WORDS if not said.done() else 0)
