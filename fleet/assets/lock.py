"""One process of this machine at a time: a lock on a file, which the kernel frees when its holder ends, however.

Also this machine's own name among all that share an AWS account: random, made once, kept beside the caches.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path


class LocalLock:
    """A lock that is held from `acquire` until `release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False where another process holds it. Raises OSError where no file can be."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Not inheritable (Python's default), so a child that outlives us holds nothing.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back. The file stays: removing it would let two hold two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def machine_name(root: Path) -> str:
    """Read this machine's name, making it the first time."""
    path = root / "machine"
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        fresh = root / f".machine.{os.getpid()}"
        fresh.write_text(secrets.token_hex(16))
        try:
            os.link(fresh, path)
        finally:
            fresh.unlink()
    return path.read_text()
