"""Which vCPU quota counts which instance type. Takes a type's name; gives the family and its quota codes.

From: EC2 user guide, "On-Demand Instance quotas" and "Spot Instance quotas", and the quota names that
Service Quotas lists for `ec2`; collected 2026-11-21. A type that no pattern knows has no family: better no
number than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fleet.plan.facts.hardware import Market


@dataclass(frozen=True)
class QuotaFamily:
    """Instance types that share a quota. Of several codes for Spot the first that the account has counts."""

    name: str
    pattern: str
    on_demand: str
    spot: tuple[str, ...] = ()

    def codes(self, market: Market) -> tuple[str, ...]:
        """Give the codes for one market, none where EC2 does not sell the family there."""
        return self.spot if market == "spot" else (self.on_demand,)


# AWS splits Spot of P5 and newer from "All P" in some accounts; where the row of its own is there, it counts.
FAMILIES = (
    QuotaFamily(
        "Standard", r"(a|c|d|h|i|im|is|m|r|t|z)[0-9].*", "L-1216C47A", spot=("L-34B43A08",)
    ),
    QuotaFamily("G and VT", r"(g|gr|vt)[0-9].*", "L-DB2E81BA", spot=("L-3819A6DF",)),
    QuotaFamily("P", r"p[2-4][^0-9]*", "L-417A185B", spot=("L-7212CCBC",)),
    QuotaFamily("P", r"p[0-9].*", "L-417A185B", spot=("L-C4BD4855", "L-7212CCBC")),
    QuotaFamily("DL", r"dl[0-9].*", "L-6E869C2A", spot=("L-85EED4F7",)),
    QuotaFamily("Inf", r"inf[0-9].*", "L-1945791B", spot=("L-B5D1601B",)),
    QuotaFamily("Trn", r"trn[0-9].*", "L-2C3B7624", spot=("L-6B0D517C",)),
    QuotaFamily("F", r"f[0-9].*", "L-74FC7D96", spot=("L-88CF9481",)),
    QuotaFamily("X", r"x[0-9].*", "L-7295265B", spot=("L-E3A00192",)),
    QuotaFamily("HPC", r"hpc[0-9].*", "L-F7808C92"),
    QuotaFamily("High Memory", r"u(-|[0-9]).*", "L-43DA4232"),
)


def family_of(instance_type: str) -> QuotaFamily | None:
    """Give the family whose quota counts a type, None where that is not known."""
    name = instance_type.partition(".")[0]
    return next((family for family in FAMILIES if re.fullmatch(family.pattern, name)), None)


def codes_to_ask(types: Iterable[str], markets: Iterable[Market]) -> tuple[str, ...]:
    """Give every code whose value decides about these types: an overlapping family's codes too."""
    asked = list(markets)
    wanted = {
        (market, code)
        for family in map(family_of, types)
        if family is not None
        for market in asked
        for code in family.codes(market)
    }
    found = (
        code
        for family in FAMILIES
        for market in asked
        if any((market, code) in wanted for code in family.codes(market))
        for code in family.codes(market)
    )
    return tuple(dict.fromkeys(found))
