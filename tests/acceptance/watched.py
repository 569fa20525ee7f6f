"""An environment whose watchers are the tests: they write heartbeats where its own would write theirs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fleet.jupyter.http import Answer, Server, request
from fleet.sandbox.hosts.paths import HostPaths
from tests.command import Cli, write_spec

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


def environment_of(cli: Cli, folder: Path) -> Environment:
    """Make a fleet `banner` of one Spot instance."""
    instances = "{types: [g4dn.xlarge], market: spot}"
    spec = write_spec(folder, "banner", members="[solo]", instances=instances, idle="1h")
    (solo,) = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    (folder / "banner.pem").write_text(cli("--sandbox", "ca", "banner").stdout)
    run(cli, "sudo systemctl stop fleet-lifetime.service fleet-spot.service")
    host = HostPaths(cli.folder / "sandbox" / "hosts" / solo["instance_id"], "ubuntu")
    return Environment(solo["jupyter_url"], folder / "banner.pem", host)


def run(cli: Cli, line: str) -> None:
    done = cli("--sandbox", "exec", "banner", "--", line)
    assert done.returncode == 0, done.stderr


@contextmanager
def watched(cli: Cli, environment: Environment, watcher: str) -> Iterator[None]:
    """The environment's own watcher at work, from its first heartbeat on."""
    heartbeat = environment.heartbeats / f"{watcher}.json"
    heartbeat.unlink()
    run(cli, f"sudo systemctl start fleet-{watcher}.service")
    try:
        eventually(heartbeat.exists)
        yield
    finally:
        run(cli, f"sudo systemctl stop fleet-{watcher}.service")


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
