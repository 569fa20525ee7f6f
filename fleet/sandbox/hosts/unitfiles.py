"""Unit files on a host's disk: found, loaded, enabled and disabled."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.hosts import units

if TYPE_CHECKING:
    from fleet.sandbox.hosts.paths import HostPaths

_TARGETS = ("multi-user.target", "default.target", "graphical.target")


class UnitFiles:
    """Looks where systemd looks, for the system and for the user: both are one here."""

    def __init__(self, paths: HostPaths, environment: Mapping[str, str]) -> None:
        self._system = paths.root / "etc/systemd/system"
        folders: tuple[str, ...] = (
            "etc/systemd/user",
            "run/systemd/system",
            "usr/local/lib/systemd/system",
        )
        folders += ("usr/lib/systemd/system", "lib/systemd/system")
        self._places = [self._system, paths.home / ".config/systemd/user"]
        self._places += [paths.root / folder for folder in folders]
        self._root = paths.root
        self._specifiers = {
            "h": str(paths.home),
            "u": paths.user,
            "U": str(os.getuid()),
            "H": environment["HOSTNAME"],
            "t": str(paths.root / "run"),
            "S": str(paths.root / "var/lib"),
            "L": str(paths.root / "var/log"),
            "T": environment["TMPDIR"],
        }

    def find(self, name: str) -> Path | None:
        """The file of a unit; an instance `a@b.service` has that of its template `a@.service`."""
        stem, at, rest = name.partition("@")
        template = f"{stem}@.{rest.rpartition('.')[2]}" if at else name
        for file in (place / each for each in (name, template) for place in self._places):
            if file.is_file():
                return file
        return None

    def texts(self, name: str) -> list[tuple[Path, str]]:
        """The unit's file and its drop-ins, in the order in which they are read."""
        file = self.find(name)
        if file is None:
            return []
        drops = sorted(
            drop for place in self._places for drop in (place / f"{name}.d").glob("*.conf")
        )
        return [(each, each.read_text()) for each in [file, *drops]]

    def load(self, name: str) -> units.Unit | None:
        """The unit as its files say now. Raises ValueError where they make no sense."""
        texts = self.texts(name)
        if not texts:
            return None
        stem = name.rpartition(".")[0]
        instance = stem.partition("@")[2]
        specifiers = {**self._specifiers, "n": name, "N": stem, "i": instance, "I": instance}
        specifiers["p"] = stem.partition("@")[0]
        return units.parse(name, str(texts[0][0]), [text for _, text in texts], specifiers)

    def enable(self, name: str) -> list[str]:
        """Link the unit below the targets that want it."""
        said = []
        unit, file = self.load(name), self.find(name)
        for target in unit.wanted_by if unit else ():
            link = self._system / f"{target}.wants" / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if file and not link.is_symlink():
                link.symlink_to(file)
                said.append(f"Created symlink /{link.relative_to(self._root)} → {file}.")
        return said

    def disable(self, name: str) -> list[str]:
        """Remove the unit's links."""
        links = list(self._system.glob(f"*.wants/{name}"))
        for link in links:
            link.unlink()
        return [f'Removed "/{link.relative_to(self._root)}".' for link in links]

    def enablement(self, name: str) -> str:
        """`enabled`, `disabled`, `static` (nothing wants it), or empty where there is no such
        unit."""
        if any(True for _ in self._system.glob(f"*.wants/{name}")):
            return "enabled"
        try:
            unit = self.load(name)
        except ValueError:
            return "bad"
        return "" if unit is None else "disabled" if unit.wanted_by else "static"

    def enabled(self) -> list[str]:
        """The services that start at boot."""
        links = (
            link for target in _TARGETS for link in self._system.glob(f"{target}.wants/*.service")
        )
        return sorted({link.name for link in links})

    def names(self) -> list[str]:
        """Every unit that has a file."""
        files = (file.name for place in self._places if place.is_dir() for file in place.iterdir())
        return sorted(
            {name for name in files if "." in name and not name.endswith((".d", ".wants"))}
        )
