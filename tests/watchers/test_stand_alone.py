"""The watchers stand alone on a host: the standard library of Python 3.9, and one another."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from .programs import FOLDER

FILES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_each_file(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 9))
    own = {each.stem for each in FILES}
    assert path.stem not in sys.stdlib_module_names, "it would stand in the way of Python's own"
    for each in ast.walk(tree):
        names = [each.module or ""] if isinstance(each, ast.ImportFrom) else []
        names += [alias.name for alias in each.names] if isinstance(each, ast.Import) else []
        for name in names:
            assert name.partition(".")[0] in own | sys.stdlib_module_names, name


def test_both_programs_are_there() -> None:
    assert {"lifetime.py", "spot.py"} <= {path.name for path in FILES}
