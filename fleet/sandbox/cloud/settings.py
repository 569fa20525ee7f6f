"""What can be set in the sandbox's cloud, with the values that a person at a terminal wants."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CloudSettings:
    """How the cloud behaves. All times are in seconds.

    `pending_seconds` pass between a launch and `running`; `boot_seconds` more until the SSH
    server listens. `shutting_down_seconds` is the least time that an instance is `shutting-down`
    or `stopping`. A terminated instance stays described for `terminated_seconds`, as EC2 does
    for about an hour.
    """

    region: str = "us-east-1"
    account_id: str = "123456789012"
    ssh_port: int = 22
    pending_seconds: float = 0.5
    boot_seconds: float = 2.0
    shutting_down_seconds: float = 0.3
    terminated_seconds: float = 3600.0
