"""What a recipe takes from its own folder, packed for one transfer to the builder."""

from __future__ import annotations

from dataclasses import dataclass

SCRIPTS = ".fleet/bake/scripts"
NOTEBOOKS = ".fleet/bake/notebooks"
FILES = ".fleet/bake/files"


@dataclass(frozen=True)
class RecipeFiles:
    """One gzip tar with paths below the home directory, and 64 hex digits over its content.

    Scripts are `.fleet/bake/scripts/<step index>.sh`, notebooks `.fleet/bake/notebooks/<test index>.ipynb`. A pair
    of a files step is `.fleet/bake/files/<step index>/<pair index>`: itself a file where the local path is one, else
    a folder with the content of the local one. Without any of these both fields are empty.
    """

    archive: bytes
    digest: str
