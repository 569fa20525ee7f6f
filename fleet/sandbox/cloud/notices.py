"""What EC2 tells of the near end of a Spot Instance: in its instance metadata, and in the status of its Spot request.

Codes: EC2 user guide, "Get the status of a Spot Instance request". Where EC2 needs the capacity back and terminates,
the code is `instance-terminated-no-capacity` from the notice on, while the instance still runs for two minutes;
`marked-for-termination` stands there in the other cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

_CODES = {
    "capacity": ("instance-terminated-no-capacity", "instance-terminated-no-capacity"),
    "price": ("marked-for-termination", "instance-terminated-by-price"),
}
"""Status codes by the cause of the interruption: from the notice on, and once the instance has ended."""


@dataclass(frozen=True)
class SpotNotice:
    """EC2 will do `action` to the instance at `when`, as it says since `given`. `fault_id` names the fault."""

    action: str
    when: datetime
    fault_id: str
    given: datetime
    cause: str = "capacity"

    @property
    def document(self) -> dict[str, str]:
        """What `/latest/meta-data/spot/instance-action` answers."""
        return {"action": self.action, "time": _stamp(self.when)}

    @property
    def status_code(self) -> str:
        """The status code of the Spot request while the instance still runs."""
        return _CODES[self.cause][0]

    @property
    def end_code(self) -> str:
        """The status code of the Spot request once EC2 has ended the instance."""
        return _CODES[self.cause][1]


@dataclass(frozen=True)
class RebalanceNotice:
    """EC2 held the instance to be at elevated risk of interruption at `given`."""

    given: datetime
    fault_id: str

    @property
    def document(self) -> dict[str, str]:
        """What `/latest/meta-data/events/recommendations/rebalance` answers."""
        return {"noticeTime": _stamp(self.given)}


def _stamp(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
