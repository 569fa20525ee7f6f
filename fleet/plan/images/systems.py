"""The operating systems of the DLAMIs: those that a spec may name, and how image names and logins call each.

Takes the users of the families, gives the systems in the order of the spec's list. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from fleet.spec.image import Os


@dataclass(frozen=True)
class OperatingSystem:
    """An operating system of the DLAMIs: its title in image names and the user that logs in."""

    title: str
    user: str


def operating_systems(users: Mapping[str, str]) -> dict[str, OperatingSystem]:
    """Each system by its id. `users` are by family: `ubuntu`, `amazon-linux`."""
    return {
        name: OperatingSystem(title=_title(name), user=users[name.rpartition("-")[0]])
        for name in get_args(Os)
    }


def _title(name: str) -> str:
    """`amazon-linux-2023` is Amazon Linux 2023 in names of images, which are read the other way in `dlami_names`."""
    return name.replace("-", " ").title()
