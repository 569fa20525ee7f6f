"""Holds the architecture: which layer may import which, and where each library stands."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "fleet"

# Each layer may import itself and what stands before its group; within a group they are mutually blind.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("spec",),
    ("recipe",),
    ("plan",),
    ("side_by_side",),
    ("aws", "ssh", "jupyter", "assets"),
    ("workflows",),
    ("api", "cli"),
)
HOME_OF = {
    "boto3": {"aws"},
    "botocore": {"aws"},
    "fabric": {"ssh"},
    "paramiko": {"ssh"},
    "click": {"cli"},
    "rich": {"cli"},
    "websocket": {"jupyter"},
    "moto": {"sandbox"},
    "asyncssh": {"sandbox"},
    "concurrent": {"side_by_side", "sandbox"},
    "werkzeug": {"sandbox"},
}
# boto3.Session is named in a signature of the Python API, nowhere called.
ALLOWED = {("api", "boto3"), ("sandbox", "botocore"), ("sandbox", "boto3")}
# Inside the layers of BY_SUBJECT each folder is a subject, the same word in all of them. A subject may import itself
# and what stands before it here, in its own layer and in those below. To come: power, members, data, money, jobs.
SUBJECTS = (
    "record", "images", "network", "hardware", "environment", "launch",
    "handout", "lifetime", "teardown", "bake", "account", "sandbox",
)  # fmt: skip
BY_SUBJECT = ("plan", "workflows", "cli")
# facts: what `aws/` makes and all subjects read, a file for each subject; data: a price list, no code.
NO_SUBJECT = {("plan", "facts"), ("plan", "data")}
MOST_FILES = 20
IMPURE = {
    "os", "io.open", "pathlib", "random", "requests", "secrets", "shutil", "socket", "ssl",
    "subprocess", "tempfile", "threading", "time", "urllib", "uuid", "glob",
    "concurrent", "multiprocessing",
}  # fmt: skip


def _layer(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Give what a file imports: each module, and each name taken from one, for that may be a module too."""
    for found in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(found, ast.Import):
            yield from (alias.name for alias in found.names)
        elif isinstance(found, ast.ImportFrom) and found.module:
            assert found.level == 0, f"{path}: relative imports hide the layers"
            yield found.module
            yield from (f"{found.module}.{alias.name}" for alias in found.names)


def _subject(parts: Sequence[str]) -> str | None:
    """Give the subject of a module by the parts of its name after `fleet`; None for what all subjects may import."""
    layer, *rest = parts
    return rest[0] if layer in BY_SUBJECT and rest and rest[0] in SUBJECTS else None


def _modules() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert len(found) > 30
    return [path for path in found if path.name != "__main__.py" or path.parent != PACKAGE]


def _reachable(layer: str) -> set[str]:
    reachable: set[str] = {layer}
    for group in GROUPS:
        if layer in group:
            return reachable
        reachable |= set(group)
    raise AssertionError(f"fleet/{layer} belongs to no layer: name it in GROUPS")


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upward(path: Path) -> None:
    layer = _layer(path)
    if layer == "__init__":
        return
    ours = {name.split(".")[1] for name in _imports(path) if name.startswith("fleet.")}
    if layer == "sandbox":
        assert ours <= {"sandbox", "errors"}, "the sandbox stands beside the layers"
        return
    allowed = _reachable(layer) | ({"sandbox"} if layer == "cli" else set())
    assert ours <= allowed, f"fleet/{layer} may not import {ours - allowed}"


@pytest.mark.parametrize("layer", BY_SUBJECT)
def test_subjects_keep_their_order(layer: str) -> None:
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        name = path.relative_to(PACKAGE)
        own = _subject(name.with_suffix("").parts)
        allowed = SUBJECTS[: SUBJECTS.index(own) + 1] if own else ()
        for imported in _imports(path):
            package, *parts = imported.split(".")
            theirs = _subject(parts) if package == "fleet" and parts else None
            assert theirs in {None, *allowed}, f"{name} ({own}) may not import {imported}"


@pytest.mark.parametrize("layer", BY_SUBJECT)
@pytest.mark.parametrize("tree", [PACKAGE, PACKAGE.parent / "tests"], ids=lambda tree: tree.name)
def test_folders_are_subjects_and_small(tree: Path, layer: str) -> None:
    files = [path for path in (tree / layer).rglob("*") if path.is_file() and path.suffix != ".pyc"]
    folders = Counter(path.parent.relative_to(tree / layer) for path in files)
    large = {str(folder): count for folder, count in folders.items() if count > MOST_FILES}
    assert not large, f"{tree.name}/{layer} has folders that want to be two: {large}"
    names = {folder.parts[0] for folder in folders if folder.parts}
    odd = {name for name in names - set(SUBJECTS) if (layer, name) not in NO_SUBJECT}
    assert not odd, f"{tree.name}/{layer} has folders that are no subject: {odd}"


def test_facts_lie_by_subject() -> None:
    names = {path.stem for path in (PACKAGE / "plan" / "facts").glob("*.py")}
    assert names <= {"__init__", *SUBJECTS}


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_in_their_layer(path: Path) -> None:
    layer = _layer(path)
    for name in _imports(path):
        library = name.split(".")[0]
        home = HOME_OF.get(library, {layer})
        assert layer in home or (layer, library) in ALLOWED, f"{library} belongs in {home}"


def test_one_module_knows_jinja() -> None:
    users = {p for p in _modules() if any(n.split(".")[0] == "jinja2" for n in _imports(p))}
    assert users == {PACKAGE / "plan" / "rendering.py"}, "templates are compiled once, there"


def test_pure_layers_touch_nothing() -> None:
    for path in _modules():
        if _layer(path) not in {"errors", "spec", "recipe", "plan"}:
            continue
        impure = {name for name in _imports(path) if name.split(".")[0] in IMPURE}
        assert not impure, f"{path.name} imports {impure}"
        called = re.search(r"\b(datetime\.now|date\.today|open|print)\(", path.read_text("utf-8"))
        assert called is None, f"{path.name} calls {called[0]}"


def test_no_layer_knows_of_the_sandbox() -> None:
    for path in _modules():
        if _layer(path) in {"sandbox", "cli", "__init__"}:
            continue
        assert "fleet.sandbox" not in path.read_text("utf-8"), path
