"""Disks of container hosts, kept for images: what a host wrote, on the kept disk that the host began with.

A host that begins with one has it as a layer of its overlay: nothing is copied at a launch. A host that ends while it
stands on a layer may leave that one behind; it goes with the sandbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fleet.sandbox.containers.programs import run
from fleet.sandbox.trees import remove_tree

_COPY_SECONDS = 600.0


class KeptDisks:
    """The kept disks of one sandbox, by name, below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, upper: Path, name: str, *, below: str) -> None:
        """Copy what a host wrote; it is there only once it is whole."""
        draft = self._folder / f".{name}"
        remove_tree(draft)
        draft.mkdir(parents=True)
        (draft / "below").write_text(below)
        # With the marks by which an overlay knows what was removed.
        words = ("cp", "--archive", "--reflink=auto", str(upper), str(draft / "upper"))
        run(*words, seconds=_COPY_SECONDS)
        draft.rename(self._folder / name)

    def layers(self, name: str) -> list[Path]:
        """The folders of a kept disk, the uppermost first; none of the empty name."""
        if not name:
            return []
        kept = self._folder / name
        return [kept / "upper", *self.layers((kept / "below").read_text())]

    def forget(self, name: str, *, used: Iterable[str]) -> None:
        """Remove a kept disk, unless one of those that are in use stands on it."""
        kept = self._folder / name / "upper"
        others = (each.name for each in self._folder.iterdir() if each.name != name)
        if not any(kept in self.layers(each) for each in (*used, *others)):
            remove_tree(self._folder / name)
