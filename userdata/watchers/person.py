"""The person whose environment this is: the home, its owner's rights, and the files that programs of fleet keep there.

The watchers are root and what stands in a home is its owner's: such a file is read only where it is the owner's own
and no link, and a program of theirs runs with their rights.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LARGEST = 1 << 20
_GRACE_SECONDS = 2.0


@dataclass(frozen=True)
class Person:
    """A person's home and the folder of fleet in it."""

    home: Path
    files: Path

    def read(self, name: str) -> str:
        """Read one of fleet's files. Raises OSError, ValueError."""
        descriptor = os.open(self.files / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != self.home.stat().st_uid:
                raise PermissionError(f"{name} is not a file of the person's own")
            return file.read(_LARGEST).decode("utf-8")

    def run(self, command: Sequence[str], *, seconds: float) -> str:
        """Run a program of the person's as the person, at most so long. Gives "done", or what went wrong."""
        try:
            process = subprocess.Popen(
                command,
                cwd=self.home,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                **self._rights(),
            )
        except (OSError, KeyError, ValueError, subprocess.SubprocessError) as error:
            return f"failed: {getattr(error, 'strerror', None) or error}"
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return "timed out"
        if status < 0:
            return f"failed: signal {-status}"
        return f"failed: exit status {status}" if status else "done"

    def _rights(self) -> dict[str, Any]:
        owner = self.home.stat().st_uid
        if owner == os.geteuid():
            return {}
        user = pwd.getpwuid(owner)
        groups = os.getgrouplist(user.pw_name, user.pw_gid)
        return {"user": owner, "group": user.pw_gid, "extra_groups": groups}

    def _environment(self) -> dict[str, str]:
        """The person's own, and of the watcher's only where programs are found and what leads to AWS."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "LANG") or name.startswith("AWS_")
        }
        name = pwd.getpwuid(self.home.stat().st_uid).pw_name
        return {**kept, "HOME": str(self.home), "USER": name, "LOGNAME": name}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it started in its session."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(process.pid, kind)
            process.wait(_GRACE_SECONDS)
