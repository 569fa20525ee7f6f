"""`fleet recipe`, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.errors import EXIT_USAGE
from tests.command import InProcess
from tests.recipe.cases import EXAMPLES, HERE


def test_an_example_has_no_faults(bare: InProcess) -> None:
    done = bare("recipe", "check", str(EXAMPLES[0]))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{EXAMPLES[0]}: recipe pytorch-team, 4 steps, 4 tests: no faults\n"


def test_the_answer_as_json(bare: InProcess) -> None:
    told = bare.json("recipe", "check", str(EXAMPLES[1]), "-o", "json")
    assert list(told) == ["name", "digest", "files_digest", "steps", "tests"]
    assert told["name"] == "tensorflow-venv"
    assert told["steps"][0] == {"kind": "pip", "title": "pip in team: einops, humanize"}
    assert [test["kind"] for test in told["tests"]] == ["gpu", "import", "run", "run"]


def test_all_faults_are_told(bare: InProcess) -> None:
    done = bare("recipe", "check", str(HERE / "broken" / "ami.yaml"))
    assert (done.returncode, done.stdout) == (EXIT_USAGE, "")
    assert len(done.stderr.splitlines()) == 10
    assert "Traceback" not in done.stderr


def test_what_the_recipe_names_is_looked_at(bare: InProcess, tmp_path: Path) -> None:
    text = "name: x\nimage: {framework: pytorch}\nbuilder: {instances: {gpus: 1}}\n"
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text + "tests: [{notebook: a.ipynb}]\n")
    (tmp_path / "a.ipynb").write_text("no notebook")
    done = bare("recipe", "check", str(recipe))
    assert done.returncode == EXIT_USAGE
    assert "a.ipynb: is not a notebook: save it in Jupyter" in done.stderr


def test_the_schema_is_what_ships(bare: InProcess) -> None:
    page = HERE.parents[1] / "docs" / "recipe.schema.json"
    assert bare.json("recipe", "schema") == json.loads(page.read_text())
