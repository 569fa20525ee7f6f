"""Local cache of a fleet: its SSH key and known hosts for OpenSSH's client.

Folder 0700, files 0600; it may be deleted at any time.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FleetCache:
    """The cache of one fleet, told apart by account, region and name."""

    root: Path
    account_id: str
    region: str
    fleet: str

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return self.root / self.account_id / self.region / self.fleet

    def write(self, name: str, text: str) -> Path:
        """Write a file, readable by its owner alone from the first byte on."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.folder / name
        fresh = path.with_name(f".{name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        fresh.replace(path)
        return path

    def delete(self) -> None:
        """Forget the fleet."""
        shutil.rmtree(self.folder, ignore_errors=True)
