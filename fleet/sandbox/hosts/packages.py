"""Where uv keeps the packages that hosts install: in the sandbox's folder, or where several sandboxes share it.

uv links its files into each environment, and its cache may be used from several processes at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "FLEET_SANDBOX_CACHE"
"""A folder that several sandboxes share, on the same file system as theirs: what one has fetched, all have."""

OWN = "cache"
"""The folder of a sandbox that shares none, in its own."""


def package_cache(directory: Path, environ: Mapping[str, str]) -> Path:
    """Say where the package cache of the sandbox in `directory` is."""
    shared = environ.get(VARIABLE)
    return Path(shared).expanduser().absolute() if shared else directory / OWN
