"""Facts: instance types, prices, Spot placement and quotas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

Market = Literal["on-demand", "spot"]


MARKET_NAMES: dict[Market, str] = {"on-demand": "On-Demand", "spot": "Spot"}


@dataclass(frozen=True)
class InstanceTypeFact:
    """An instance type: its size, architectures, and GPUs (0 for none; a fraction of a GPU counts as 1).

    `manufacturer` is that of the GPUs, or else of the inference accelerators, as EC2 writes it.
    `gpu_memory_mib` is one GPU's, or that of the part where `gpu_share` is less than a whole GPU (g6f).
    """

    name: str
    vcpus: int
    memory_mib: int
    architectures: tuple[str, ...]
    gpus: int
    gpu_name: str
    manufacturer: str = ""
    gpu_memory_mib: int = 0
    gpu_share: Decimal = Decimal(1)
    network: str = ""


@dataclass(frozen=True)
class Figure:
    """One price: USD (None: the Price List has none), and when it was read, or the date of the snapshot it is from."""

    usd: Decimal | None
    at: datetime
    snapshot: bool = False


@dataclass(frozen=True)
class Prices:
    """USD per hour: On-Demand by type, Spot by (type, Availability Zone). What is unknown is left out.

    `rates` are those of volumes and addresses, by the names of `plan.hardware.prices`; `figures` holds each
    price that is not Spot with its date; `trouble` says why the Price List gave nothing.
    """

    on_demand: Mapping[str, Decimal]
    spot: Mapping[tuple[str, str], Decimal]
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class PlacementFacts:
    """Spot placement scores, 1 to 10, by the id of the Availability Zone, for all wished types together.

    `unread` says why nothing is known, and is empty otherwise, also where nobody asked.
    """

    scores: Mapping[str, int] = field(default_factory=dict)
    unread: str = ""


@dataclass(frozen=True)
class QuotaFacts:
    """vCPU quotas by code, where the account has them, and vCPUs in use in the region by type and market.

    `unread` says why nothing is known, and is empty otherwise.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    in_use: Mapping[tuple[str, Market], int] = field(default_factory=dict)
    unread: str = ""
