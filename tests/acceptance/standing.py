"""A fleet that tests only look at: it comes up once in a process of tests, and each test leaves it as it was.

While it came, all processes of the machine were looked at, so that its secrets can be searched for in them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.command import Cli, write_spec

NAME = "standing"
ODD = 'José "Pepe" O\'Brien {{ 7*7 }}'
ODD_HOST = f"{NAME}-jose-pepe-o-brien-7-7"


@dataclass
class Watched:
    """Every argument vector and environment that any process of this machine showed meanwhile."""

    seen: dict[str, set[bytes]] = field(default_factory=dict)

    def look(self) -> None:
        for entry in Path("/proc").iterdir():
            for name in ("cmdline", "environ") if entry.name.isdigit() else ():
                with suppress(OSError):
                    self.seen.setdefault(name, set()).add((entry / name).read_bytes())


@dataclass(frozen=True)
class Standing:
    """A fleet of `ana` and of somebody with an odd name, by member, as `up` and then `rotate` reported them."""

    cli: Cli
    before: dict[str, dict[str, Any]]
    """Before the rotation."""
    environments: dict[str, dict[str, Any]]
    up_said: str
    rotate_said: str
    watched: Watched

    def host(self, environment: dict[str, Any]) -> Path:
        """The folder of an environment's host."""
        return self.cli.folder / "sandbox" / "hosts" / str(environment["instance_id"])


def standing_up(cli: Cli, folder: Path) -> Standing:
    """Bring the fleet up and rotate its tokens, by processes that show what they are given."""
    members = json.dumps(["ana", ODD], ensure_ascii=False)
    spec = write_spec(folder, NAME, members=members)
    process = Cli(cli.folder)
    with _watching() as watched:
        up = process("--sandbox", "up", str(spec), "-o", "json")
        assert up.returncode == 0, up.stderr
        rotated = process("--sandbox", "rotate", NAME, "-o", "json")
        assert rotated.returncode == 0, rotated.stderr
    before, now = (
        {each["member"]: each for each in json.loads(one.stdout)["environments"]}
        for one in (up, rotated)
    )
    return Standing(cli, before, now, up.stderr, rotated.stderr, watched)


@contextmanager
def _watching() -> Iterator[Watched]:
    watched, over = Watched(), threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            watched.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield watched
    finally:
        over.set()
        thread.join(60)
        watched.look()
