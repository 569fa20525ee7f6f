"""The watchers as real programs, with a machine of their own on PATH and settings in a folder of the test's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from person import Person

from .places import end_session, put_machine, soon

FOLDER = Path(__file__).parents[2] / "userdata" / "watchers"


@dataclass
class Program:
    """One watcher: how it is started, and what it tells."""

    name: str
    person: Person
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    script: Path | None = None

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": f"{put_machine(self.folder)}:/usr/bin:/bin",
            "FLEET_WATCH_DIRECTORY": str(self.folder / "run"),
            "FLEET_PERSON_HOME": str(self.person.home),
            "FLEET_PERSON_FILES": str(self.person.files),
            "FLEET_EXPIRES_FILE": str(self.folder / "expires-at"),
            **self.settings,
        }

    @contextmanager
    def running(self) -> Iterator[Program]:
        """Start it, and end it whatever happens."""
        (self.folder / "expires-at").touch()
        script = self.script or FOLDER / f"{self.name}.py"
        with (self.folder / f"{self.name}.log").open("w") as log:
            words = [self.python, "-EsB", str(script)]
            process = subprocess.Popen(
                words, env=self.environment, stderr=log, start_new_session=True
            )
        try:
            yield self
            assert process.poll() is None, f"it has ended: {self.log()}"
        finally:
            end_session(process.pid)  # what it has asked and hangs, too
            process.wait()

    def log(self) -> str:
        return (self.folder / f"{self.name}.log").read_text()

    @property
    def heartbeat(self) -> dict[str, Any]:
        """The heartbeat; empty before the first."""
        try:
            return dict(json.loads((self.folder / "run" / f"{self.name}.json").read_text()))
        except FileNotFoundError:
            return {}

    def soon(self, sees: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait for a heartbeat."""
        return soon(lambda: told if (told := self.heartbeat) and sees(told) else None)

    def next(self) -> dict[str, Any]:
        """Wait for a heartbeat of a look that begins from now on."""
        for _ in range(2):
            at = self.heartbeat.get("boot_seconds")
            told = self.soon(lambda told: told["boot_seconds"] != at)  # noqa: B023 - waited for here
        return told

    @property
    def is_off(self) -> bool:
        return (self.folder / "off").exists()

    def expire(self, text: str) -> None:
        """Replace the file of the expiry, as `fleet extend` does."""
        fresh = self.folder / "expires-at.new"
        fresh.write_text(f"{text}\n")
        fresh.replace(self.folder / "expires-at")
