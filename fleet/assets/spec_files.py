"""Reads a spec and what it names on the caller's disk: roster, script and files of the bootstrap."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from pathlib import Path

from fleet.plan.environment.local_files import LocalFiles
from fleet.spec.load import Overrides, load_spec, unreadable
from fleet.spec.model import Bootstrap, FleetSpec


def read_spec(path: Path, *, overrides: Overrides) -> FleetSpec:
    """Read and check a spec; paths in it are relative to its folder. Raises SpecError."""
    folder = path.parent
    return load_spec(
        read(path),
        file=str(path),
        read=lambda name: beside(folder, name).read_bytes(),
        exists=lambda name: beside(folder, name).exists(),
        overrides=overrides,
    )


def read_local_files(folder: Path, bootstrap: Bootstrap) -> LocalFiles:
    """Read the bootstrap's script, and pack its files into one gzip tar with paths below the home directory."""
    script = ""
    if bootstrap.script is not None:
        script = beside(folder, bootstrap.script).read_text("utf-8")
    archive = _pack(folder, bootstrap.files) if bootstrap.files else b""
    return LocalFiles(script, archive, hashlib.sha256(archive).hexdigest() if archive else "")


def read(path: Path) -> bytes:
    """Read a file that a person named. Raises SpecError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise unreadable(str(path), error) from error


def beside(folder: Path, name: str) -> Path:
    """Where a path leads that a spec names: it counts from the spec's folder."""
    return folder / Path(name).expanduser()


def _pack(folder: Path, files: tuple[tuple[str, str], ...]) -> bytes:
    """Pack files so that the same content gives the same bytes: sorted, without owners and times."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for local, remote in files:
            source = beside(folder, local)
            inside = remote.removeprefix("~").strip("/") or source.name
            for path in [source, *sorted(source.rglob("*"))]:
                name = Path(inside, path.relative_to(source)).as_posix()
                archive.add(path, arcname=name, recursive=False, filter=anonymous)
    return gzip.compress(raw.getvalue(), mtime=0)


def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out of an archive's entry what differs between two machines: owners and times."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry
