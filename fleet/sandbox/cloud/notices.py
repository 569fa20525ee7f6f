"""Spot Instance interruption notices, as the instance metadata of an instance shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SpotNotice:
    """EC2 will do `action` to the instance at `when`. `fault_id` names the fault that says so."""

    action: str
    when: datetime
    fault_id: str

    @property
    def document(self) -> dict[str, str]:
        """What `/latest/meta-data/spot/instance-action` answers."""
        return {"action": self.action, "time": self.when.strftime("%Y-%m-%dT%H:%M:%SZ")}
