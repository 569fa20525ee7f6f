"""Writes a watcher's heartbeat: JSON that everybody may read, whole at any moment. No secret belongs in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(path: Path, told: Mapping[str, Any]) -> None:
    """Replace a heartbeat. A full disk is told in the journal: the watcher's work goes on without."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(told) + "\n", encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(path)
    except OSError as error:
        sys.stderr.write(f"no heartbeat: {error}\n")


def read(path: Path) -> dict[str, Any]:
    """Read a heartbeat; empty where there is none."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
