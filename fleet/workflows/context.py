"""What every workflow is handed: AWS, settings, clocks, and where events go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.assets.cache import FleetCache
from fleet.aws.clients import Aws
from fleet.aws.identity import CHECKIP_URL
from fleet.errors import FleetError
from fleet.workflows.events import Event, EventState, OnEvent, silent
from fleet.workflows.pacing import Bucket, create_tags_bucket

if TYPE_CHECKING:  # it brings paramiko, which most commands can do without
    from fleet.ssh.proxies import Bastion


@dataclass(frozen=True)
class Deadlines:
    """How long each wait may last, in seconds, before it is told as failed.

    `ready` is one environment's own time, from its running instance to its proof, whatever the parts of it may take.
    """

    lease: float = 1800
    capacity: float = 0
    visible: float = 60
    running: float = 300
    ready: float = 2700
    ssh: float = 600
    bootstrap: float = 1800
    proof: float = 300
    terminated: float = 600
    bake: float = 10800
    image: float = 7200
    look: float = 5


@dataclass(frozen=True)
class Settings:
    """What differs between places: where the caller's address is asked for, where sshd listens, where caches are.

    `region` is the environment's, which boto3 reads from AWS_DEFAULT_REGION alone.
    """

    region: str | None = None
    checkip_url: str = CHECKIP_URL
    ssh_port: int = 22
    cache_root: Path = Path("~/.cache/fleet")


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Read settings: AWS_REGION, FLEET_CHECKIP_URL, FLEET_SSH_PORT, FLEET_CACHE_DIR (else XDG_CACHE_HOME/fleet)."""
    port = environment.get("FLEET_SSH_PORT", "22")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise FleetError(f"FLEET_SSH_PORT is {port!r}, not a port", remedy="unset it, or write 22")
    caches = environment.get("XDG_CACHE_HOME") or "~/.cache"
    root = environment.get("FLEET_CACHE_DIR") or f"{caches}/fleet"
    return Settings(
        region=environment.get("AWS_REGION") or None,
        checkip_url=environment.get("FLEET_CHECKIP_URL") or CHECKIP_URL,
        ssh_port=int(port),
        cache_root=Path(root).expanduser(),
    )


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Context:
    """One run of a workflow. `clock` is monotonic seconds, `now` the time of day in UTC.

    `bastions` are those that SSH goes through, by `user@host`: all hosts share one connection.
    """

    aws: Aws
    settings: Settings = Settings()
    on_event: OnEvent = silent
    deadlines: Deadlines = Deadlines()
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = _now
    interrupted: threading.Event = field(default_factory=threading.Event)
    tagging: Bucket = field(default_factory=create_tags_bucket)
    bastions: dict[str, Bastion] = field(default_factory=dict)

    def tell(self, member: str | None, step: str, state: EventState, detail: str = "") -> None:
        """Report one step."""
        self.on_event(Event(member, step, state, detail))

    def cache(self, account_id: str, fleet: str) -> FleetCache:
        """Give the local cache of a fleet."""
        return FleetCache(self.settings.cache_root, account_id, self.aws.region, fleet)
