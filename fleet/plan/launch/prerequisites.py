"""What instances are launched with: launch template, security group, key pair. Pure."""

from __future__ import annotations

from fleet.errors import NothingFoundError
from fleet.plan.facts.launch import Owned


def require_intact(owned: Owned, *, fleet: str) -> None:
    """Raise NothingFoundError where a fleet lacks anything that instances are launched with.

    `fleet down` leaves none of it; one that broke off leaves some.
    """
    if not (owned.launch_templates and owned.security_groups and owned.key_pairs):
        raise NothingFoundError(
            f"fleet {fleet} is not there, or not whole: nothing is launched",
            remedy="`fleet up` on its spec makes it; `fleet watch` keeps what is there",
        )
