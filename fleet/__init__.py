"""fleet: a deep-learning environment on EC2 for each member of a team, from one file and with one command.

`fleet.up`, `fleet.down` and the rest of the Python API are in `fleet.api`; they load when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleet.api import (
        bake,
        bootstrap,
        down,
        extend,
        handout,
        ls,
        prepare_up,
        read_recipe,
        read_spec,
        rotate,
        status,
        up,
        watch,
    )

__all__ = [
    "bake",
    "bootstrap",
    "down",
    "extend",
    "handout",
    "ls",
    "prepare_up",
    "read_recipe",
    "read_spec",
    "rotate",
    "status",
    "up",
    "watch",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(importlib.import_module("fleet.api"), name)
    raise AttributeError(f"module 'fleet' has no attribute {name!r}")
