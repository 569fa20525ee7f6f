"""Disks of hosts, kept for images: copied off a host, and laid where another host begins with one.

A virtual environment names its own folder in its scripts, and each host of this driver has its disk in another folder:
where a kept disk is laid, the path of the new one stands in place of the old, which is just as long.
"""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from fleet.sandbox.trees import remove_tree

_PARTS = ("root", "home")
_ORIGIN = "origin"


@dataclass(frozen=True)
class _Paths:
    """What is written instead of what."""

    old: str = ""
    new: str = ""

    def in_text(self, text: str) -> str:
        return text.replace(self.old, self.new) if self.old else text


def keep(top: Path, kept: Path) -> None:
    """Copy the disk of the host in folder `top` to `kept`, which is there only once it is whole."""
    draft = kept.with_name(f".{kept.name}")
    remove_tree(draft)
    draft.mkdir(parents=True)
    for part in _PARTS:
        if (top / part).is_dir():
            _copy(top / part, draft / part, _Paths())
    (draft / _ORIGIN).write_text(str(top))
    draft.rename(kept)


def lay(kept: Path, top: Path) -> None:
    """Give the new host in folder `top` what was kept; one that has its disk already is left alone."""
    if (top / _PARTS[-1]).exists():
        return
    paths = _Paths((kept / _ORIGIN).read_text(), str(top))
    for part in _PARTS:
        if (kept / part).is_dir() and not (top / part).exists():
            draft = top / f".{part}"
            remove_tree(draft)
            _copy(kept / part, draft, paths)
            draft.rename(top / part)


def _copy(source: Path, target: Path, paths: _Paths) -> None:
    target.mkdir(parents=True)
    for entry in os.scandir(source):
        place = target / entry.name
        if entry.is_symlink():
            place.symlink_to(paths.in_text(str(Path(entry).readlink())))
        elif entry.is_dir():
            _copy(Path(entry), place, paths)
        elif entry.is_file():  # a socket is nothing without who listens
            _copy_file(Path(entry), place, paths)
    target.chmod(stat.S_IMODE(source.stat().st_mode))


def _copy_file(source: Path, target: Path, paths: _Paths) -> None:
    if source.stat().st_nlink > 1:  # uv's cache and every environment share it: nobody writes to it
        target.hardlink_to(source)
        return
    shutil.copy2(source, target)
    if not paths.old:
        return
    data = source.read_bytes()
    changed = data.replace(os.fsencode(paths.old), os.fsencode(paths.new))
    if changed != data:
        times = source.stat()
        target.write_bytes(changed)
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))
