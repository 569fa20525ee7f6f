"""The control groups of a sandbox's hosts: how every process of a host is found, and ended.

A host's systemd outlives its systemd-nspawn, and no mark in an environment reaches what it starts;
its control group holds all of it. `cgroup.kill` is Linux 5.14's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path

from fleet.errors import SandboxError

_MOUNTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_PATIENCE = 15.0


def mounted_at() -> Path | None:
    """Where cgroup v2 is mounted, or None."""
    return next((path for path in _MOUNTS if (path / "cgroup.controllers").is_file()), None)


def name_of(directory: Path) -> str:
    """The name that all groups of the sandbox in `directory` are below."""
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()
    return f"fleet-sandbox-{digest[:12]}"


def make(directory: Path, host: str) -> Path:
    """An empty group for a host."""
    top = mounted_at()
    if top is None:
        raise SandboxError("no cgroup v2 is mounted", remedy="use --hosts process")
    group = top / name_of(directory) / host
    group.mkdir(parents=True, exist_ok=True)
    return group


def end(group: Path) -> bool:
    """Kill every process in `group` and below, remove it. Returns whether there was any process.

    Raises SandboxError when one of them does not go.
    """
    ran = _populated(group)
    deadline = time.monotonic() + _PATIENCE
    while _populated(group):
        if time.monotonic() > deadline:
            raise SandboxError(
                f"processes in {group} cannot be ended", remedy="see cgroup.procs there"
            )
        with contextlib.suppress(FileNotFoundError):
            (group / "cgroup.kill").write_text("1")
        time.sleep(0.02)
    for below, _, _ in os.walk(group, topdown=False):
        with contextlib.suppress(OSError):  # busy for a moment longer: the next sweep takes it
            os.rmdir(below)  # noqa: PTH106 - os.walk gives strings
    return ran


def end_all(directory: Path) -> bool:
    """The same for every host of the sandbox in `directory`."""
    top = mounted_at()
    return top is not None and end(top / name_of(directory))


def _populated(group: Path) -> bool:
    try:
        return "populated 1" in (group / "cgroup.events").read_text()
    except OSError:
        return False
