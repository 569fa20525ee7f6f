"""An environment whose watchers are the tests: they write heartbeats where its own would write theirs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleet.jupyter.http import Answer, Server, request
from fleet.sandbox.hosts.paths import HostPaths
from tests.acceptance.dusk import Dusk

QUIET = {
    "state": "idle",
    "idle_seconds": 2760,
    "idle_limit_seconds": 3600,
    "reasons": ["kernels quiet"],
    "kept_seconds": 0,
    "expires_at": None,
    "stops_in_seconds": None,
    "stops_because": None,
    "warning": None,
}
IDLE = {
    **QUIET,
    "stops_in_seconds": 840,
    "stops_because": "idle",
    "warning": "this environment stops in 14 min: nobody has used it for 46 min",
}
EXPIRING = {**IDLE, "stops_because": "expiry", "warning": "this environment stops in 14 min"}
NO_NOTICE = {"state": "quiet", "action": None, "time": None, "hook": None, "sync": None}


@dataclass(frozen=True)
class Environment:
    """One person's environment, whose watchers are the tests."""

    url: str
    authority: Path
    host: HostPaths

    @property
    def heartbeats(self) -> Path:
        return Path(self.host.real("/run/fleet"))

    @property
    def files(self) -> Path:
        return self.host.home / ".fleet"

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]

    def tell(self, watcher: str, told: dict[str, Any], *, seconds_ago: float = 0) -> None:
        """Write a heartbeat, as a watcher does."""
        at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        beat = {
            "at": written(at),
            "boot_seconds": time.clock_gettime(time.CLOCK_BOOTTIME) - seconds_ago,
            "tick_seconds": 15.0,
            "warning": None,
        }
        new = self.heartbeats / f"{watcher}.new"
        new.write_text(json.dumps({**beat, **told}))
        new.rename(self.heartbeats / f"{watcher}.json")

    def ask(
        self, method: str, path: str, *, port: int = 8888, body: object = None, known: bool = True
    ) -> Answer:
        address = self.url.split("/")[2].split(":")[0]
        server = Server(address, port, self.authority.read_text())
        token = self.token if known else None
        return request(server, method, path, token=token, body=body, timeout=60)

    def watchers(self) -> Any:
        return self.ask("GET", "/fleet/watchers").json()["watchers"]

    def touched(self, name: str) -> int:
        """When one of the person's files was touched, 0 for never."""
        file = self.files / name
        return file.stat().st_mtime_ns if file.exists() else 0


def written(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


WATCHERS = "fleet-lifetime.service fleet-spot.service"


@contextmanager
def environment_of(dusk: Dusk) -> Iterator[Environment]:
    """Ana's environment without its watchers, which have it back afterwards as it was."""
    dusk.said(f"sudo systemctl stop {WATCHERS}")
    environment = Environment(dusk.url, dusk.authority(), dusk.host)
    try:
        yield environment
    finally:
        shutil.rmtree(environment.heartbeats, ignore_errors=True)
        for name in ("keep", "saved"):
            (environment.files / name).unlink(missing_ok=True)
        assert dusk.cli("sandbox", "fault", "clear").returncode == 0
        dusk.said(f"sudo systemctl start {WATCHERS}")


@contextmanager
def watched(dusk: Dusk, environment: Environment, watcher: str) -> Iterator[None]:
    """The environment's own watcher at work, from its first heartbeat on."""
    heartbeat = environment.heartbeats / f"{watcher}.json"
    heartbeat.unlink()
    dusk.said(f"sudo systemctl start fleet-{watcher}.service")
    try:
        eventually(heartbeat.exists)
        yield
    finally:
        dusk.said(f"sudo systemctl stop fleet-{watcher}.service")


@contextmanager
def out_of_reach(file: Path) -> Iterator[None]:
    """A file that cannot be touched for a while, not even by root."""
    aside = file.with_name(file.name + ".aside")
    if file.exists():
        file.rename(aside)
    file.symlink_to("nowhere/at/all")
    try:
        yield
    finally:
        file.unlink()
        if aside.exists():
            aside.rename(file)


def eventually(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)
