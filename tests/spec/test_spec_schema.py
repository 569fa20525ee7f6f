"""The JSON Schema and the reference page against the models, the examples and the broken specs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml

from fleet.spec import access, image, instances, interruption, model, storage
from fleet.spec.forms import Text
from fleet.spec.frozen import Frozen
from fleet.spec.keys import keys_of
from fleet.spec.reference import reference
from fleet.spec.schema import json_schema
from fleet.spec.table import SPEC_FILE
from tests.schemas import every_property, require_described
from tests.spec.cases import EXAMPLES, HERE

VALIDATOR = jsonschema.Draft202012Validator(json_schema(SPEC_FILE))

# What no schema can see: rules between values, other files, duplicates, how YAML is spelled.
UNSEEN = {
    "access-me-inside",
    "access-no-way-in",
    "access-public-and-via",
    "cidr",
    "count-octal",
    "duplicate-key-nested",
    "duplicate-key",
    "expires-long",
    "expires-short",
    "idle-longer",
    "image-base-version",
    "image-wildcard",
    "interruption-same-place",
    "member-invisible",
    "member-long",
    "member-slash",
    "min-more-than-members",
    "no-value-optional",
    "price-on-demand",
    "roster-binary",
    "roster-columns",
    "roster-empty",
    "roster-folder",
    "roster-header-only",
    "roster-keys",
    "roster-latin-1",
    "roster-missing",
    "roster-no-header",
    "roster-private-key",
    "roster-quote",
    "roster-rows",
    "roster-semicolons",
    "roster-short-row",
    "roster-twice",
    "script-missing",
    "size-large",
    "size-zero",
    "utf-16",
    "tls-in-the-open",
    "volume-gp2-iops",
    "volume-io2",
    "volume-iops-low",
    "volume-iops",
    "volume-throughput",
}


def parsed() -> list[tuple[str, Any]]:
    found = []
    for path in sorted((HERE / "broken").glob("*.yaml")):
        try:
            found.append((path.stem, yaml.safe_load(path.read_bytes())))
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            continue
    return found


def test_it_is_a_schema() -> None:
    schema = json_schema(SPEC_FILE)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"]
    assert schema["title"]


@pytest.mark.parametrize(
    "path",
    sorted([*EXAMPLES.glob("*.yaml"), *(HERE / "good").glob("*.yaml")]),
    ids=lambda path: path.stem,
)
def test_good_specs_pass(path: Path) -> None:
    VALIDATOR.validate(yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(("name", "content"), parsed(), ids=lambda value: str(value)[:30])
def test_broken_specs_fail_where_a_schema_can_see_it(name: str, content: object) -> None:
    assert VALIDATOR.is_valid(content) == (name in UNSEEN)


@pytest.mark.parametrize(
    "of",
    [
        model.FleetSpec,
        model.ImageSelector,
        model.Instances,
        model.Volume,
        access.Access,
        access.Via,
        interruption.Interruption,
        model.Bootstrap,
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_table_and_the_models_have_the_same_fields(of: type[Frozen]) -> None:
    form = keys_of(of)
    fields = {key.field for key in form.keys} - {"count", "roster"}
    assert fields == set(of.model_fields)
    for key in form.keys:
        required = of.model_fields.get(key.field)
        if required is not None and key.name != "members":
            assert required.is_required() == key.required, key.name


@pytest.mark.parametrize(
    ("of", "name", "literal"),
    [
        (model.ImageSelector, "framework", image.Framework),
        (model.ImageSelector, "os", image.Os),
        (model.Instances, "market", instances.Market),
        (model.Volume, "type", storage.VolumeType),
        (access.Via, "through", access.Through),
    ],
    ids=["framework", "os", "market", "type", "through"],
)
def test_the_table_and_the_models_have_the_same_choices(
    of: type[Frozen], name: str, literal: object
) -> None:
    key = next(key for key in keys_of(of).keys if key.name == name)
    assert isinstance(key.form, Text)
    assert key.form.choices == get_args(literal)


@pytest.mark.parametrize(
    ("name", "schema"), every_property(json_schema(SPEC_FILE)), ids=lambda v: str(v)[:20]
)
def test_every_key_is_described_and_its_examples_are_right(
    name: str, schema: dict[str, Any]
) -> None:
    require_described(name, schema)


def test_the_reference_has_every_key() -> None:
    page = reference(SPEC_FILE)
    for name, _ in every_property(json_schema(SPEC_FILE)):
        assert f"\n| `{name}` |" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}
