"""The JSON Schema and the reference page against the models, the examples and the broken recipes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleet.recipe import checks, model, steps
from fleet.recipe.table import RECIPE_FILE
from fleet.spec.forms import Items, kind_of
from fleet.spec.frozen import Frozen
from fleet.spec.keys import keys_of
from fleet.spec.reference import reference
from fleet.spec.schema import json_schema
from tests.recipe.cases import EXAMPLES, HERE
from tests.schemas import every_property, require_described

SCHEMA = json_schema(RECIPE_FILE)
STEPS, TESTS = (key.form for key in RECIPE_FILE.root.keys if isinstance(key.form, Items))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
MODELS: dict[str, type[Frozen]] = {
    "apt": steps.AptStep,
    "dnf": steps.DnfStep,
    "pip": steps.PipStep,
    "conda": steps.CondaStep,
    "git": steps.GitStep,
    "files": steps.FilesStep,
    "script": steps.ScriptStep,
    "run": steps.RunStep,
    "download": steps.DownloadStep,
}
TEST_MODELS: dict[str, type[Frozen]] = {
    "run": checks.RunTest,
    "import": checks.ImportTest,
    "gpu": checks.GpuTest,
    "notebook": checks.NotebookTest,
}

# What no schema can see: rules between values, other files, duplicates of keys, how long something is.
UNSEEN = {
    "ami-copy-home",
    "ami-name-long",
    "ami-share",
    "ami-name-same",
    "builder-long",
    "builder-short",
    "description-long",
    "description",
    "name-is-base",
    "steps-apt-on-amazon",
    "steps-base",
    "tests-venv",
}


def parsed() -> list[tuple[str, Any]]:
    found = []
    for path in sorted((HERE / "broken").glob("*.yaml")):
        try:
            found.append((path.stem, yaml.safe_load(path.read_bytes())))
        except yaml.YAMLError:
            continue
    return found


def test_it_is_a_schema_of_its_own() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == "urn:fleet:recipe"


@pytest.mark.parametrize(
    "path", [*EXAMPLES, *sorted((HERE / "good").glob("*.yaml"))], ids=lambda path: path.stem
)
def test_good_recipes_pass(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(("name", "content"), parsed(), ids=lambda value: str(value)[:30])
def test_broken_recipes_fail_where_a_schema_can_see_it(name: str, content: object) -> None:
    assert VALIDATOR.is_valid(content) == (name in UNSEEN)


@pytest.mark.parametrize(
    "of",
    [model.Recipe, model.Builder, model.Output, *MODELS.values(), *TEST_MODELS.values()],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_table_and_the_models_have_the_same_fields(of: type[Frozen]) -> None:
    form = keys_of(of)
    assert {key.field for key in form.keys} == set(of.model_fields) - {"kind"}
    for key in form.keys:
        field = of.model_fields[key.field]
        assert field.is_required() == key.required or key.name == "gpu", key.name


def test_the_table_has_every_kind_and_no_name_twice() -> None:
    assert [kind_of(kind) for kind in STEPS.kinds] == list(MODELS)
    assert [kind_of(kind) for kind in TESTS.kinds] == list(TEST_MODELS)
    for form in (STEPS, TESTS):
        kinds = {kind_of(kind) for kind in form.kinds}
        assert not kinds & {key.name for kind in form.kinds for key in kind.keys[1:]}
    for models in (MODELS, TEST_MODELS):
        for name, of in models.items():
            assert of.model_fields["kind"].default == name


@pytest.mark.parametrize(("name", "schema"), every_property(SCHEMA), ids=lambda v: str(v)[:20])
def test_every_key_is_described_and_its_examples_are_right(
    name: str, schema: dict[str, Any]
) -> None:
    require_described(name, schema)


def test_the_reference_has_every_key_and_every_kind() -> None:
    page = reference(RECIPE_FILE)
    for name, _ in every_property(SCHEMA):
        assert f"\n| `{name}` |" in page
    assert "\n## `steps`, a step `pip`\n" in page
    assert "\n## `tests`, a test `notebook`\n" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}
