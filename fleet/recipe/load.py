"""A file's bytes to a Recipe, or to every fault that it has.

Takes the bytes and a function that looks for other files. Paths in a recipe count from its own folder: the function
handed in sees to that.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError

from fleet.errors import SpecError
from fleet.recipe import coherence
from fleet.recipe.model import Recipe, Step, Test
from fleet.recipe.table import RECIPE_FILE
from fleet.spec import rules
from fleet.spec.build import build
from fleet.spec.document import parse
from fleet.spec.model import ImageSelector
from fleet.spec.places import Loc, Reading
from fleet.spec.reader import read_tree
from fleet.spec.refusal import RefusedError, shown

_FROM_RECIPE = "correct the path, which counts from the recipe's folder"


def load_recipe(text: bytes, *, file: str, exists: Callable[[str], bool]) -> Recipe:
    """Read, check and type a recipe. `file` is its name in messages.

    `exists` tells whether a path is there that a step or a test names. Raises SpecError with all faults, in the order
    of lines.
    """
    root = parse(text, file=file, newcomer=RECIPE_FILE.newcomer)
    tree, reading = read_tree(root, RECIPE_FILE, file=file)
    _check_paths(tree, reading, exists)
    _check_parts(tree, reading)
    recipe = build(Recipe, tree, reading)
    if recipe is None or reading.faults:
        raise SpecError(tuple(dict.fromkeys(reading.faults)))
    return recipe


def _check_paths(tree: dict[str, Any], reading: Reading, exists: Callable[[str], bool]) -> None:
    for loc, path in _paths(tree):
        if rules.is_path(path) and not exists(path):
            reading.bad(loc, f"{shown(path)} is not there", _FROM_RECIPE)


def _check_parts(tree: dict[str, Any], reading: Reading) -> None:
    """The model holds the parts against each other as well, but only where none has a fault of its own."""
    image = _valid(ImageSelector, tree.get("image"))
    if image is None:
        return
    steps = [_valid(Step, step) for step in _listed(tree, "steps")]
    tests = [_valid(Test, test) for test in _listed(tree, "tests")]
    with _objecting(reading, "steps"):
        coherence.check_steps(steps, image)
    with _objecting(reading, "tests"):
        coherence.check_tests(tests, steps, image)


@contextlib.contextmanager
def _objecting(reading: Reading, group: str) -> Iterator[None]:
    try:
        yield
    except RefusedError as refused:
        reading.object((group,), refused.objections)


def _valid(kind: Any, value: object) -> Any:
    """The value as the model has it, or None where it has faults, which are told elsewhere."""
    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return None


def _paths(tree: dict[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Each local path that the tree has, wherever its surroundings are right so far."""
    for group, kind in (("steps", "script"), ("tests", "notebook")):
        for loc, value in _of_kind(tree, group, kind):
            if isinstance(value, str):
                yield loc, value
    for loc, value in _of_kind(tree, "steps", "files"):
        pairs = value if isinstance(value, list) else []
        for index, pair in enumerate(pairs):
            if isinstance(pair, tuple):
                yield (*loc, index), pair[0]


def _of_kind(tree: dict[str, Any], group: str, kind: str) -> Iterator[tuple[Loc, object]]:
    for index, item in enumerate(_listed(tree, group)):
        if isinstance(item, dict) and item.get("kind") == kind:
            yield (group, index, kind, kind), item.get(kind)


def _listed(tree: dict[str, Any], group: str) -> list[Any]:
    items = tree.get(group)
    return items if isinstance(items, list) else []
