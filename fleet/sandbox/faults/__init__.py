"""Faults that are switched on by name, so that every promise about failure can be shown.

Here: the table of kinds, the reading of options, and the registry that counts. What a fault does is
in `fleet.sandbox.cloud`. Nothing here imports moto or boto3, for the command line shows the table.
"""

from __future__ import annotations

from fleet.sandbox.faults.kinds import KINDS, Kind
from fleet.sandbox.faults.reading import read_conditions
from fleet.sandbox.faults.registry import Fault, Faults

__all__ = ["KINDS", "Fault", "Faults", "Kind", "read_conditions"]
