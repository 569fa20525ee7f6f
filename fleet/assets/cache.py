"""Local caches: a fleet's SSH key and known hosts for OpenSSH's client; a region's prices.

Folder 0700, files 0600; it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from fleet.assets.private_files import write_private
from fleet.plan.facts.hardware import Figure


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
        return write_private(self.folder / name, text)

    def delete(self) -> None:
        """Forget the fleet."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class PriceCache:
    """The prices of one region that were read before, each with its time. One that cannot be read is empty."""

    root: Path
    region: str

    @property
    def path(self) -> Path:
        """Where they are."""
        return self.root / "prices" / f"{self.region}.json"

    def read(self) -> dict[str, Figure]:
        """Give every figure by name."""
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            return {name: _figure(usd, at) for name, (usd, at) in kept.items()}
        except (OSError, ValueError, ArithmeticError, AttributeError, TypeError):
            return {}

    def write(self, figures: Mapping[str, Figure]) -> None:
        """Keep the figures; where nothing can be written, they are read anew next time."""
        kept = {
            name: (None if figure.usd is None else str(figure.usd), figure.at.isoformat())
            for name, figure in sorted(figures.items())
        }
        with contextlib.suppress(OSError):
            write_private(self.path, json.dumps(kept))


def _figure(usd: str | None, at: str) -> Figure:
    when = datetime.fromisoformat(at)
    if when.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return Figure(None if usd is None else Decimal(usd), when)
