"""Reads the tables in `fleet/sandbox/data`; their README names the sources. Gives plain rows,
decides nothing.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_MIB_PER_VCPU = 4096
"""Memory where the table lacks it (g7): what g6 has."""


@dataclass(frozen=True)
class AcceleratedType:
    """One row of gpu_types.csv. `price` is USD per hour on demand in us-east-1, None where unknown."""

    name: str
    family: str
    accelerator: str
    manufacturer: str
    model: str
    gpu_count: int
    logical_gpu_count: int
    partition_size: float
    gpu_memory_mib: int
    total_gpu_memory_mib: int
    vcpus: int
    memory_mib: int
    architecture: str
    usage_classes: tuple[str, ...]
    price: float | None
    quota_on_demand: str
    quota_spot: str


def _text(name: str) -> str:
    return (files("fleet.sandbox") / "data" / name).read_text(encoding="utf-8")


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _text(name).splitlines() if line.strip()]


def dlami_names() -> list[dict[str, Any]]:
    """Rows of dlami_names.jsonl: name, owner, owner_alias, architecture, maybe image_id, region,
    creation_date.
    """
    return _rows("dlami_names.jsonl")


def dlami_parameters() -> list[dict[str, Any]]:
    """Rows of dlami_ssm.jsonl: parameter, architecture, name_pattern."""
    return _rows("dlami_ssm.jsonl")


@cache
def accelerated_types() -> dict[str, AcceleratedType]:
    """Rows of gpu_types.csv by instance type, without those of which neither vCPUs nor GPU memory
    are known.
    """
    rows = csv.DictReader(_text("gpu_types.csv").splitlines())
    described = [row for row in rows if row["vcpus"] or row["total_gpu_memory_mib"]]
    return {row["instance_type"]: _accelerated(row) for row in described}


def _vcpus(row: dict[str, str]) -> int:
    """vCPUs where the table lacks them (g7): four per `xlarge`, as in every G family."""
    size = row["instance_type"].partition(".")[2].removesuffix("xlarge")
    return int(row["vcpus"] or 4 * int(size or 1))


def _accelerated(row: dict[str, str]) -> AcceleratedType:
    count = int(row["gpu_count"] or 0)
    total = int(row["total_gpu_memory_mib"] or 0)
    logical = int(row["logical_gpu_count"] or count)
    return AcceleratedType(
        name=row["instance_type"],
        family=row["family"],
        accelerator=row["accelerator"],
        manufacturer=row["manufacturer"],
        model=row["model"],
        gpu_count=count,
        logical_gpu_count=logical,
        partition_size=float(row["gpu_partition_size"] or 1),
        gpu_memory_mib=int(row["gpu_memory_mib"] or 0) or total // max(logical, 1),
        total_gpu_memory_mib=total,
        vcpus=_vcpus(row),
        memory_mib=int(row["memory_mib"] or _vcpus(row) * _MIB_PER_VCPU),
        architecture=row["arch"],
        usage_classes=tuple((row["usage_classes"] or "on-demand/spot").split("/")),
        price=float(row["on_demand_usd_us_east_1"]) if row["on_demand_usd_us_east_1"] else None,
        quota_on_demand=row["quota_on_demand"],
        quota_spot=row["quota_spot"],
    )


@cache
def cpu_prices() -> dict[str, float]:
    """USD per hour and vCPU, on demand in us-east-1, by instance family."""
    rows = csv.DictReader(_text("cpu_prices.csv").splitlines())
    return {
        row["instance_type"].split(".")[0]: float(row["on_demand_usd_us_east_1"])
        / int(row["vcpus"])
        for row in rows
    }
