"""What one sandbox cloud holds besides moto's resources, shared by all of its services."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleet.sandbox.cloud.capacity import Capacity, Quotas
from fleet.sandbox.cloud.notices import RebalanceNotice, SpotNotice
from fleet.sandbox.cloud.tokens import ClientTokens
from fleet.sandbox.faults.registry import Faults

if TYPE_CHECKING:
    from fleet.sandbox.cloud.settings import CloudSettings
    from fleet.sandbox.driver import HostDriver


def utc_now() -> datetime:
    """The time, with its zone."""
    return datetime.now(UTC)


@dataclass
class CloudState:
    """`lock` guards moto's resources and everything here; no driver is called while it is held,
    except for a console. `spot_notices` and `rebalance_notices` are by instance id, as its metadata
    would show them.
    """

    driver: HostDriver
    addresses: Callable[[], str]
    settings: CloudSettings
    now: Callable[[], datetime] = utc_now
    lock: threading.RLock = field(default_factory=threading.RLock)
    capacity: Capacity = field(default_factory=Capacity)
    quotas: Quotas = field(default_factory=Quotas)
    tokens: ClientTokens = field(default_factory=ClientTokens)
    faults: Faults = field(default_factory=Faults)
    spot_notices: dict[str, SpotNotice] = field(default_factory=dict)
    rebalance_notices: dict[str, RebalanceNotice] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything; the resources themselves are moto's."""
        self.capacity.clear()
        self.quotas.clear()
        self.tokens.clear()
        self.faults.clear()
        self.spot_notices.clear()
        self.rebalance_notices.clear()
