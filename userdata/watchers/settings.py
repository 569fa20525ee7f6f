"""What a unit of a watcher is told, as `Environment=` lines.

Each file here imports the others as top-level modules: Python puts the folder of the started file first on its path,
with -E and -s too. The tests and mypy get the same by `pythonpath` and `mypy_path` in pyproject.toml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from person import Person

_TICK_SECONDS = 15.0


@dataclass(frozen=True)
class Settings:
    """The settings, in seconds and absolute paths."""

    heartbeats: Path
    person: Person
    expires_file: Path
    idle_seconds: float | None
    keep_seconds: float  # an hour; shorter in tests
    sync: str
    metadata: str

    @property
    def tick_seconds(self) -> float:
        """How often fleet-lifetime looks."""
        return max(0.5, min(_TICK_SECONDS, (self.idle_seconds or float("inf")) / 20))


def from_environment(told: Mapping[str, str]) -> Settings:
    """Read the settings. Raises KeyError, ValueError."""
    idle = told.get("FLEET_IDLE_SECONDS")
    metadata = told.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or "http://169.254.169.254"
    return Settings(
        heartbeats=Path(told["FLEET_WATCH_DIRECTORY"]),
        person=Person(Path(told["FLEET_PERSON_HOME"]), Path(told["FLEET_PERSON_FILES"])),
        expires_file=Path(told.get("FLEET_EXPIRES_FILE", "/etc/fleet/expires-at")),
        idle_seconds=float(idle) if idle else None,
        keep_seconds=float(told.get("FLEET_KEEP_SECONDS", "3600")),
        sync=told.get("FLEET_SYNC", ""),
        metadata=metadata.rstrip("/"),
    )
