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
_ALL = Path("/sys/fs/cgroup")
_MEMORY = _ALL / "memory"
_PATIENCE = 15.0


def mounted_at() -> Path | None:
    """Where cgroup v2 is mounted, or None."""
    return next((path for path in _MOUNTS if (path / "cgroup.controllers").is_file()), None)


def name_of(directory: Path) -> str:
    """The name that all groups of the sandbox in `directory` are below."""
    digest = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()
    return f"fleet-sandbox-{digest[:12]}"


def make(directory: Path, host: str, *, memory_mib: int = 0) -> Path:
    """An empty group for a host, with so much memory; 0 is no limit."""
    top = mounted_at()
    if top is None:
        raise SandboxError("no cgroup v2 is mounted", remedy="use --hosts process")
    group = top / name_of(directory) / host
    group.mkdir(parents=True, exist_ok=True)
    if memory_mib:
        _limit(top, group, memory_mib * 2**20)
    return group


def members_of(group: Path) -> list[Path]:
    """The files that a host's first process writes its pid to."""
    with_memory = _MEMORY / group.parent.name / group.name
    return [each / "cgroup.procs" for each in (group, with_memory) if each.is_dir()]


def _limit(top: Path, group: Path, size: int) -> None:
    """By cgroup v2 where it has the memory, else by v1, which has a tree of its own for it."""
    if "memory" in (top / "cgroup.controllers").read_text().split():
        for each in (top, group.parent):
            (each / "cgroup.subtree_control").write_text("+memory")
        (group / "memory.max").write_text(f"{size}")
        return
    if not (_MEMORY / "memory.limit_in_bytes").is_file():
        raise SandboxError("memory cannot be limited here", remedy="mount the memory cgroup")
    limited = _MEMORY / group.parent.name / group.name
    limited.mkdir(parents=True, exist_ok=True)
    (limited / "memory.limit_in_bytes").write_text(f"{size}")


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
    for tree in trees(group):
        for below, _, _ in os.walk(tree, topdown=False):
            with contextlib.suppress(OSError):  # busy for a moment longer: the next sweep takes it
                os.rmdir(below)  # noqa: PTH106 - os.walk gives strings
    return ran


def trees(group: Path) -> list[Path]:
    """The group in every hierarchy that has it: beside v2, systemd-nspawn makes one in systemd's own of v1."""
    name = group.relative_to(mounted_at() or group)
    below = [each / name for each in _ALL.iterdir() if each.is_dir()]
    return [each for each in dict.fromkeys((group, *below)) if each.is_dir()]


def end_all(directory: Path) -> bool:
    """The same for every host of the sandbox in `directory`."""
    top = mounted_at()
    return top is not None and end(top / name_of(directory))


def _populated(group: Path) -> bool:
    try:
        return "populated 1" in (group / "cgroup.events").read_text()
    except OSError:
        return False
