"""Whatever the bytes are, the answer is a Recipe or a SpecError."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import SpecError
from fleet.recipe.load import load_recipe
from fleet.recipe.model import Builder, Output, Recipe
from fleet.recipe.table import RECIPE_FILE
from fleet.spec.keys import keys_of
from tests.recipe.cases import EXAMPLES, HERE, PLAIN
from tests.spec.test_spec_never_crashes import SCALARS

FILES = [*EXAMPLES, *sorted(HERE.rglob("*.yaml"))]
FORMS = (keys_of(Recipe), keys_of(Builder), keys_of(Output), *RECIPE_FILE.kinds)
KEYS = [key.name for form in FORMS for key in form.keys]
VALUES = SCALARS | st.sampled_from(["[einops]", "{a: ~/a}", "~/x", "https://example.org/x", "x.sh"])
ITEMS = st.tuples(st.sampled_from(["  - ", "    ", "", "  "]), st.sampled_from(KEYS), VALUES).map(
    lambda parts: f"{parts[0]}{parts[1]}: {parts[2]}"
)


def answer(content: bytes) -> None:
    with contextlib.suppress(SpecError):
        load_recipe(content, file="recipe.yaml", exists=lambda name: len(name) % 2 == 0)


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    answer(content)


@given(st.sampled_from(["steps", "tests", "ami", "builder"]), st.lists(ITEMS, max_size=10))
def test_any_lines_of_known_keys(group: str, lines: list[str]) -> None:
    text = "\n".join([PLAIN + f"{group}:", *lines])
    answer(text.encode("utf-8", "surrogatepass"))


@given(st.sampled_from(["steps", "tests"]), st.sampled_from(KEYS), VALUES, VALUES)
def test_any_item(group: str, key: str, value: str, other: str) -> None:
    for item in (f"- {key}: {value}", f"- {value}", f"- {{{key}: {value}, to: {other}}}"):
        answer(f"{PLAIN}{group}:\n{item}\n".encode("utf-8", "surrogatepass"))


@given(st.sampled_from(FILES), st.data())
def test_any_change_to_a_recipe(path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 20, len(content))))
    answer(content[:start] + data.draw(st.binary(max_size=8)) + content[end:])
