"""Reads a recipe and what it names on the caller's disk: scripts, files and notebooks."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

from fleet.assets.spec_files import anonymous, beside, read
from fleet.errors import Fault, SpecError
from fleet.recipe.files import FILES, NOTEBOOKS, SCRIPTS, RecipeFiles
from fleet.recipe.load import load_recipe
from fleet.recipe.model import Recipe


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe; paths in it are relative to its folder. Raises SpecError."""
    folder = path.parent
    return load_recipe(
        read(path), file=str(path), exists=lambda name: beside(folder, name).exists()
    )


def read_recipe_files(folder: Path, recipe: Recipe) -> RecipeFiles:
    """Pack everything local that a recipe names, so that the same content gives the same bytes. Raises SpecError."""
    entries = [*_scripts(folder, recipe), *_notebooks(folder, recipe), *_files(folder, recipe)]
    if not entries:
        return RecipeFiles(b"", "")
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for path, name in entries:
            try:
                archive.add(path, arcname=name, recursive=False, filter=_the_same_everywhere)
            except OSError:
                read(path)
                raise
    return RecipeFiles(gzip.compress(raw.getvalue(), mtime=0), _digest(raw.getvalue()))


def _the_same_everywhere(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Keep of a file's mode whether it may be run, as Git does: the rest is the umask of whoever checked it out."""
    entry.mode = 0o755 if entry.isdir() or entry.issym() or entry.mode & 0o100 else 0o644
    return anonymous(entry)


def _scripts(folder: Path, recipe: Recipe) -> Iterator[tuple[Path, str]]:
    for index, step in enumerate(recipe.steps):
        if step.kind == "script":
            path = beside(folder, step.script).resolve()
            read(path)
            yield path, f"{SCRIPTS}/{index}.sh"


def _notebooks(folder: Path, recipe: Recipe) -> Iterator[tuple[Path, str]]:
    for index, test in enumerate(recipe.tests):
        if test.kind == "notebook":
            path = beside(folder, test.notebook).resolve()
            _check_notebook(path)
            yield path, f"{NOTEBOOKS}/{index}.ipynb"


def _check_notebook(path: Path) -> None:
    """Tell now what the builder would tell an hour later."""
    try:
        content = json.loads(read(path))
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        fault = Fault(str(path), 0, "is not a notebook", "save it in Jupyter, or name another")
        raise SpecError((fault,))


def _files(folder: Path, recipe: Recipe) -> Iterator[tuple[Path, str]]:
    """Files, folders and links below them; sockets and pipes are nobody's data."""
    for index, step in enumerate(recipe.steps):
        if step.kind != "files":
            continue
        for pair, (local, to) in enumerate(step.files):
            source = beside(folder, local).resolve()
            if to == "~" and not source.is_dir():
                remedy = f"write {{{local}: ~/{Path(local).name}}}"
                raise SpecError(
                    (Fault(local, 0, "is a file, and goes to the home itself", remedy),)
                )
            for path in [source, *sorted(source.rglob("*"))]:
                if path.is_symlink() or path.is_file() or path.is_dir():
                    inside = Path(FILES, str(index), str(pair), path.relative_to(source))
                    yield path, inside.as_posix()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
