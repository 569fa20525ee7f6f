"""Processes of a sandbox whose daemon has gone: found by the mark in their environment, and ended.

Hosts end by themselves when their daemon dies; this waits for that, makes sure of it, and proves
it.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from fleet.errors import SandboxError
from fleet.sandbox.hosts import linux

MARK = "FLEET_HOST"
"""Names the host's folder in the environment of each of its processes: how strays are found."""
_PATIENCE = 12.0
_KILLING = 15.0


def find(directory: Path) -> list[int]:
    """Every process that belongs to a host of the sandbox in `directory`."""
    top = os.fsencode(f"{MARK}={directory.resolve()}/hosts")
    found = []
    for each in linux.processes():
        if each.state != "Z" and each.pid != os.getpid():
            variables = linux.environment_of(each.pid).split(b"\0")
            if any(text == top or text.startswith(top + b"/") for text in variables):
                found.append(each.pid)
    return found


def end(directory: Path) -> bool:
    """Wait until no such process is left, killing what does not end. Returns whether there was
    any."""
    began = time.monotonic()
    left = found = find(directory)
    while left:
        waited = time.monotonic() - began
        if waited > _PATIENCE + _KILLING:
            raise SandboxError(
                f"processes of the sandbox cannot be ended: {', '.join(map(str, left))}",
                remedy=f"end them by hand: kill -9 {' '.join(map(str, left))}",
            )
        if waited > _PATIENCE:
            linux.send(left, signal.SIGKILL)
        time.sleep(0.05)
        left = find(directory)
    return bool(found)
