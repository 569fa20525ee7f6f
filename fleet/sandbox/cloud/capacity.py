"""How much EC2 has, and how much the account may have: two tables that can be set.

A pool is (instance type, Availability Zone, market). Neither table counts what is in use; the
caller does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Market = Literal["on-demand", "spot"]

GPU_POOL = 40
CPU_POOL = 400


@dataclass
class Capacity:
    """Instances that EC2 can run per pool. The most specific entry counts; `None` in an entry
    matches anything.
    """

    gpu_default: int = GPU_POOL
    cpu_default: int = CPU_POOL
    pools: dict[tuple[str | None, str | None, Market | None], int] = field(default_factory=dict)

    def put(
        self,
        instances: int,
        *,
        instance_type: str | None = None,
        availability_zone: str | None = None,
        market: Market | None = None,
    ) -> None:
        """Let the pool, or all pools that match, hold so many instances in all."""
        self.pools[instance_type, availability_zone, market] = instances

    def clear(self) -> None:
        """Forget every entry; the defaults hold again."""
        self.pools.clear()

    def limit(
        self, instance_type: str, availability_zone: str, market: Market, *, accelerated: bool
    ) -> int:
        """Instances that the pool can hold in all."""
        matching = [
            (sum(part is not None for part in key), instances)
            for key, instances in self.pools.items()
            if key[0] in {None, instance_type}
            and key[1] in {None, availability_zone}
            and key[2] in {None, market}
        ]
        if matching:
            return max(matching, key=lambda entry: entry[0])[1]
        return self.gpu_default if accelerated else self.cpu_default


DEFAULT_QUOTAS: dict[str, tuple[str, int, int]] = {
    "L-1216C47A": ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 1152, 5),
    "L-34B43A08": ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 1152, 5),
    "L-DB2E81BA": ("Running On-Demand G and VT instances", 512, 0),
    "L-3819A6DF": ("All G and VT Spot Instance Requests", 512, 0),
    "L-417A185B": ("Running On-Demand P instances", 768, 0),
    "L-7212CCBC": ("All P Spot Instance Requests", 768, 0),
    "L-C4BD4855": ("All P5 Spot Instance Requests", 768, 0),
    "L-6E869C2A": ("Running On-Demand DL instances", 192, 0),
    "L-85EED4F7": ("All DL Spot Instance Requests", 192, 0),
    "L-1945791B": ("Running On-Demand Inf instances", 256, 0),
    "L-B5D1601B": ("All Inf Spot Instance Requests", 256, 0),
    "L-2C3B7624": ("Running On-Demand Trn instances", 256, 0),
    "L-6B0D517C": ("All Trn Spot Instance Requests", 256, 0),
    "L-74FC7D96": ("Running On-Demand F instances", 192, 0),
    "L-88CF9481": ("All F Spot Instance Requests", 192, 0),
    "L-7295265B": ("Running On-Demand X instances", 128, 0),
    "L-E3A00192": ("All X Spot Instance Requests", 128, 0),
    "L-F7808C92": ("Running On-Demand HPC instances", 0, 0),
    "L-43DA4232": ("Running On-Demand High Memory instances", 0, 0),
}
"""Quota code -> name, vCPUs in the sandbox, AWS's default for a new account."""


@dataclass
class Quotas:
    """vCPUs that the account may run per quota code and Region."""

    applied: dict[tuple[str, str], int] = field(default_factory=dict)

    def put(self, code: str, vcpus: int, *, region: str) -> None:
        """Set the quota in one Region."""
        self.applied[region, code] = vcpus

    def clear(self) -> None:
        """Forget every setting; the sandbox's defaults hold again."""
        self.applied.clear()

    def limit(self, code: str, *, region: str) -> int:
        """vCPUs allowed; a code that is not known allows none."""
        return self.applied.get((region, code), DEFAULT_QUOTAS.get(code, ("", 0, 0))[1])
