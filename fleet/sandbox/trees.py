"""Removing a folder with everything in it, read-only folders too."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from fleet.errors import SandboxError


def _open_up(_function: Callable[..., object], name: str, _error: object) -> None:
    """Make what could not be removed removable, for the next attempt."""
    path = Path(name)
    for folder in (path.parent, path):
        if folder.is_dir() and not folder.is_symlink():
            folder.chmod(0o700)


def remove_tree(path: Path) -> None:
    """Remove a file or a folder. Raises SandboxError when something of it stays."""
    for _ in range(5):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, onerror=_open_up)
        else:
            path.unlink(missing_ok=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.01)
    raise SandboxError(f"{path} cannot be removed", remedy=f"remove it by hand: rm -rf {path}")
