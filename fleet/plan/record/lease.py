"""Who is at work on a fleet: the text of a lease, and whether its holder is gone. Pure.

A lease is a parameter `/fleet/NAME/lease/N`; the highest N holds. Whoever breaks N makes N + 1, which Parameter
Store does for one of several callers alone. `pending` is the launch request that was sent and not yet answered.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleet.plan.tags import expiry_text, parse_expiry

RENEW_EVERY = timedelta(minutes=1)
STALE_AFTER = timedelta(minutes=5)
"""Five renewals missed: the holder has crashed, sleeps, or has lost its way to AWS."""


@dataclass(frozen=True)
class Lease:
    """`holder` is for people (user@host), `machine` tells whether it is this one, `run` is unique."""

    holder: str
    machine: str
    run: str
    command: str
    taken_at: datetime
    renewed_at: datetime
    pending: str = ""

    @property
    def said(self) -> str:
        """The lease in words: "`fleet up` of ana@laptop, at work since 10:02:11Z"."""
        return f"`fleet {self.command}` of {self.holder}, at work since {self.taken_at:%H:%M:%S}Z"


def as_text(lease: Lease) -> str:
    """Write a lease as its parameter's value."""
    times = {"taken_at": expiry_text(lease.taken_at), "renewed_at": expiry_text(lease.renewed_at)}
    return json.dumps(lease.__dict__ | times, separators=(",", ":"))


def from_text(text: str) -> Lease | None:
    """Read a lease; None for what is none."""
    try:
        content: dict[str, Any] = json.loads(text)
        taken, renewed = (parse_expiry(content.pop(key)) for key in ("taken_at", "renewed_at"))
        if (
            taken is None
            or renewed is None
            or not all(isinstance(v, str) for v in content.values())
        ):
            return None
        return Lease(**content, taken_at=taken, renewed_at=renewed)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def reason_to_break(lease: Lease | None, *, machine: str, now: datetime) -> str:
    """Say why a lease may be broken, or give nothing where its holder may still be at work.

    Whoever asks holds this machine's lock on the fleet, so no other process here is at work on it.
    """
    if lease is None:
        return "it cannot be read"
    if lease.machine == machine:
        return "its process on this machine has ended"
    silent = now - lease.renewed_at
    if silent > STALE_AFTER:
        return f"it was not renewed for {int(silent.total_seconds() // 60)} minutes"
    return ""
