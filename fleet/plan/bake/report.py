"""What a bake has come to. `as_json` is the settled shape for scripts; a field that is not known is null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fleet.plan import tags
from fleet.plan.teardown.receipt import Receipt

Outcome = Literal["baked", "unchanged"]


@dataclass(frozen=True)
class BakeReport:
    """An image that has passed its try-out, and what was done for it.

    `outcome` is `unchanged` where the very same content had been baked before. `copies` are image ids by region,
    `trouble` says why a region has none, `removed` are older images that were deregistered, `kept` why others were not.
    `seconds` is the whole bake's time, None where nothing was baked; `log` where its output is. `receipts` are those
    of the fleets that it needed.
    """

    recipe: str
    region: str
    outcome: Outcome
    image_id: str
    name: str
    digest: str
    status: str
    base_image: str
    tests: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)
    shared_with: tuple[str, ...] = ()
    deprecated_at: datetime | None = None
    removed: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    seconds: int | None = None
    log: str | None = None
    receipts: tuple[Receipt, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing is left of the fleets that the bake needed."""
        return all(receipt.clean for receipt in self.receipts)

    @property
    def whole(self) -> bool:
        """Whether all was done that the recipe asks for, and nothing is left of what it took."""
        return self.clean and not self.trouble

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of `bake`."""
        return {
            "recipe": self.recipe,
            "region": self.region,
            "outcome": self.outcome,
            "image_id": self.image_id,
            "name": self.name,
            "digest": self.digest,
            "status": self.status,
            "base_image": self.base_image,
            "tests": list(self.tests),
            "copies": dict(self.copies),
            "trouble": dict(self.trouble),
            "shared_with": list(self.shared_with),
            "deprecated_at": tags.expiry_text(self.deprecated_at) if self.deprecated_at else None,
            "removed": list(self.removed),
            "kept": dict(self.kept),
            "seconds": self.seconds,
            "log": self.log,
            "receipts": [receipt.as_json() for receipt in self.receipts],
        }
