"""Facts: who calls."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """Who calls: account id and ARN."""

    account_id: str
    arn: str
