"""What a recipe takes from its folder: where it is in the archive, and what is said of files that are none."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from fleet.assets.recipe_files import read_recipe, read_recipe_files
from fleet.errors import SpecError
from fleet.recipe.files import RecipeFiles
from tests.recipe.cases import EXAMPLES, PLAIN

RECIPE = f"""{PLAIN}
steps:
  - apt: [git]
  - files: {{./data: ~/data, notes.md: /etc/motd}}
  - script: ./setup.sh
tests:
  - gpu: true
  - notebook: first.ipynb
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "deep" / "a.csv").write_text("1,2\n")
    (tmp_path / "data" / "link").symlink_to("deep/a.csv")
    os.mkfifo(tmp_path / "data" / "pipe")
    (tmp_path / "real.md").write_text("hello\n")
    (tmp_path / "notes.md").symlink_to("real.md")
    (tmp_path / "setup.sh").write_text("echo set up\n")
    (tmp_path / "first.ipynb").write_text('{"cells": []}')
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def packed(folder: Path) -> RecipeFiles:
    return read_recipe_files(folder, read_recipe(folder / "recipe.yaml"))


def test_everything_local_is_at_its_place(folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(folder).archive)) as archive:
        found = {entry.name: entry for entry in archive}
        notes = archive.extractfile(".fleet/bake/files/1/1")
        assert notes is not None
        assert notes.read() == b"hello\n"
    assert list(found) == [
        ".fleet/bake/scripts/2.sh",
        ".fleet/bake/notebooks/1.ipynb",
        ".fleet/bake/files/1/0",
        ".fleet/bake/files/1/0/deep",
        ".fleet/bake/files/1/0/deep/a.csv",
        ".fleet/bake/files/1/0/link",
        ".fleet/bake/files/1/1",
    ]
    assert found[".fleet/bake/files/1/0"].isdir()
    assert found[".fleet/bake/files/1/0/link"].issym()
    assert found[".fleet/bake/files/1/1"].isreg()
    assert {(entry.uid, entry.uname, entry.mtime) for entry in found.values()} == {(0, "", 0)}


def test_the_digest_is_over_the_content(folder: Path) -> None:
    first = packed(folder)
    assert len(first.digest) == 64
    os.utime(folder / "setup.sh", (1, 1))
    (folder / "setup.sh").chmod(0o664)
    (folder / "data").chmod(0o700)
    assert packed(folder) == first
    (folder / "setup.sh").chmod(0o775)
    assert packed(folder).digest != first.digest
    (folder / "setup.sh").chmod(0o600)
    assert packed(folder) == first
    (folder / "setup.sh").write_text("echo something else\n")
    assert packed(folder).digest != first.digest


def test_nothing_local_is_nothing_to_pack(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(PLAIN)
    assert packed(folder) == RecipeFiles(b"", "")


@pytest.mark.parametrize("text", ["[]", "{}", "print(1)", '{"cells": {}}', "\udcff"])
def test_a_notebook_that_is_none_is_told_before_anything_is_launched(
    folder: Path, text: str
) -> None:
    (folder / "first.ipynb").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SpecError, match=r"first\.ipynb: is not a notebook"):
        packed(folder)


def test_a_file_needs_a_name_below_the_home(folder: Path) -> None:
    (folder / "recipe.yaml").write_text(
        RECIPE.replace("~/data, notes.md: /etc/motd", "~/data, notes.md: ~")
    )
    with pytest.raises(SpecError, match=r"notes\.md: is a file.*write \{notes\.md: ~/notes\.md\}"):
        packed(folder)


def test_a_folder_is_no_script(folder: Path) -> None:
    (folder / "setup.sh").unlink()
    (folder / "setup.sh").mkdir()
    with pytest.raises(SpecError, match=r"setup\.sh: is a folder"):
        packed(folder)


def test_a_recipe_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="is not there: check the path"):
        read_recipe(tmp_path / "recipe.yaml")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_have_all_that_they_name(path: Path) -> None:
    recipe = read_recipe(path)
    assert read_recipe_files(path.parent, recipe).archive or path.stem == "jupyter-ready"
