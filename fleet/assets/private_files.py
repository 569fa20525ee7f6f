"""Files that hold secrets: readable by their owner alone from the first byte on, and never half written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO


def write_private(path: Path, text: str) -> Path:
    """Write a file (0600) into a folder that is made where it is not there (0700). Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
    return path


def begin_private(path: Path) -> TextIO:
    """Open a file (0600) to be written line by line, in a folder that is made where it is not there (0700).

    Raises OSError.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "a", encoding="utf-8", buffering=1)
