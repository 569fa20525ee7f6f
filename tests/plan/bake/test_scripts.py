"""The scripts of a bake, rendered and looked at by bash and shellcheck; what they say is read."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.assets.recipe_files import read_recipe_files
from fleet.assets.shipped import load_bake_texts
from fleet.errors import BakeError
from fleet.plan.bake import scripts as bake_scripts
from fleet.plan.bake.scripts import Finding, parse_findings, plain, stamps
from fleet.recipe.files import RecipeFiles
from fleet.recipe.load import load_recipe
from fleet.recipe.model import Recipe

RECIPE = """
name: all-of-it
image: {framework: pytorch, os: ubuntu-24.04}
builder: {instances: {types: [g5.xlarge]}}
steps:
  - apt: [git, "curl=8.5.0-2ubuntu10"]
  - pip: ["einops>=0.8"]
  - pip: [tabulate]
    venv: team
    index_url: https://example.org/simple
  - git: https://example.org/team/code.git
    ref: v2.1
    to: ~/code
  - git: https://example.org/team/more
    to: /opt/more
  - files: {./conf: ~/conf, ./one.txt: /opt/one.txt}
  - script: ./setup.sh
  - run: |
      echo "it's $HOME"
  - download: https://example.org/weights.bin?a="b"
    sha256: "0000000000000000000000000000000000000000000000000000000000000000"
    to: ~/weights.bin
tests:
  - run: echo 'fine'
    expect: fine
    venv: team
  - import: [torch, einops]
  - gpu: true
  - notebook: ./check.ipynb
"""
CONDA = """
name: conda-too
image: {id: ami-0123456789abcdef0}
builder: {instances: {types: [g5.xlarge]}}
steps:
  - dnf: [git]
  - conda: [numpy=2.2]
    env: science
    channels: [conda-forge]
  - conda: [scipy]
"""


def read(text: str) -> Recipe:
    return load_recipe(text.encode(), file="recipe.yaml", exists=lambda _: True)


def files_of(folder: Path, *, script: str = "echo hi\n") -> RecipeFiles:
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf/a").write_text("a")
    (folder / "one.txt").write_text("1")
    (folder / "setup.sh").write_text(script)
    (folder / "check.ipynb").write_text('{"cells": []}')
    return read_recipe_files(folder, read(RECIPE))


def scripts() -> Iterator[tuple[str, str]]:
    texts = load_bake_texts()
    for recipe in (read(RECIPE), read(CONDA)):
        for index, step in enumerate(recipe.steps):
            script = bake_scripts.render_step(texts, step, index=index, stamp="ab", seconds=60)
            yield f"{recipe.name}-{index}-{step.kind}", script
        for index, test in enumerate(recipe.tests):
            script = bake_scripts.render_test(texts, test, index=index, gpus=1, seconds=60)
            yield f"{recipe.name}-test-{index}-{test.kind}", script
    yield "unpack", bake_scripts.render_unpack(texts)
    yield "manifest", bake_scripts.render_manifest(texts)
    yield "scan", bake_scripts.render_scan(texts, sanitised=True)
    yield "sanitise", bake_scripts.render_sanitise(texts)


ALL = dict(scripts())


@pytest.mark.parametrize("name", ALL)
def test_a_script_is_bash(name: str) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=ALL[name], text=True, capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="no shellcheck here")
@pytest.mark.parametrize("name", ALL)
def test_shellcheck_has_nothing_to_say(name: str) -> None:
    # A part serves several scripts, and not each of them uses all of it (2034, 2317, 2329); a recipe may have one
    # package (2043); its texts and our programs are quoted (2016), paths below the home too (2088).
    excluded = "--exclude=SC2016,SC2034,SC2043,SC2088,SC2317,SC2329"
    words = ["shellcheck", "--shell=bash", excluded, "-"]
    done = subprocess.run(
        words, input=ALL[name], text=True, capture_output=True, timeout=60, check=False
    )
    assert done.stdout == ""


def test_outside_the_home_everything_is_done_by_root() -> None:
    for name in ("sanitise", "scan"):
        for line in ALL[name].splitlines():
            if " rm " in f" {line} " or " truncate " in line or line.strip().startswith("find "):
                assert "sudo -n" in line or line.lstrip().startswith(("#", "in_homes")), line


def test_keys_go_last_and_the_end_is_told() -> None:
    text = ALL["sanitise"]
    order = [
        "step services",
        "step credentials",
        "step cloud-init",
        "step logs",
        "step keys",
        "sync",
    ]
    assert sorted(order, key=text.index) == order
    assert text.rstrip().splitlines()[-1].startswith("say sanitise 'done'")
    assert "daemon-reload" not in text
    assert "systemctl disable" not in text


def test_a_step_is_done_again_when_it_or_one_before_it_has_changed(tmp_path: Path) -> None:
    recipe, files = read(RECIPE), files_of(tmp_path)
    before = stamps(recipe, files)
    assert stamps(recipe, files) == before
    assert len(set(before)) == len(recipe.steps)
    other = stamps(recipe, files_of(tmp_path, script="echo ho\n"))
    assert [one == two for one, two in zip(before, other, strict=True)] == [True] * 6 + [False] * 3
    changed = stamps(read(RECIPE.replace("v2.1", "v2.2")), files)
    assert [one == two for one, two in zip(before, changed, strict=True)].index(False) == 3


def test_a_notebook_changes_no_step(tmp_path: Path) -> None:
    recipe, files = read(RECIPE), files_of(tmp_path)
    (tmp_path / "check.ipynb").write_text('{"cells": [{}]}')
    assert stamps(recipe, read_recipe_files(tmp_path, recipe)) == stamps(recipe, files)


def test_without_local_files_there_are_stamps_too() -> None:
    assert len(set(stamps(read(CONDA), RecipeFiles(b"", "")))) == 3


def test_findings_are_read_each_once_and_in_order() -> None:
    told = [
        {"path": "/b", "line": 2, "what": "a key"},
        {"path": "/a\u001b[31m", "line": 0, "what": "a key"},
        {"path": "/b", "line": 2, "what": "a key"},
        {"files": 12},
    ]
    found = parse_findings("\n".join(map(json.dumps, told)))
    assert found == (Finding("/a", 0, "a key"), Finding("/b", 2, "a key"))
    assert [str(each) for each in found] == ["/a: a key", "/b:2: a key"]


@pytest.mark.parametrize(
    "text",
    ["", '{"files": 0}', '{"path": "/a", "line": 1, "what": "x"}', "no", "[]", '{"path": 1}'],
)
def test_a_scan_that_did_not_end_is_not_clean(text: str) -> None:
    with pytest.raises(BakeError, match="did not come to its end"):
        parse_findings(text)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", "plain"),
        ("10 %\r50 %\rdone\r", "done"),
        ("\x1b[1;32mok\x1b[0m \x1b]0;title\x07x", "ok x"),
        ("a\x00b\x08c\td", "abc\td"),
        ("déjà vu ✓", "déjà vu ✓"),
    ],
)
def test_lines_are_shown_as_a_terminal_may_have_them(line: str, shown: str) -> None:
    assert plain(line) == shown
