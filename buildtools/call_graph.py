"""Follows names through the package's own source: which functions a module can come to call.

Reads the files of the package; imports none, and nothing beyond the standard library, for the build has nothing else.
A name that is mentioned counts as called, so the answer may hold too much and never too little, as long as nobody calls
a function that no source names.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable, Iterator
from pathlib import Path

_ROOT = Path(__file__).parent.parent
_PACKAGE = "fleet"
_COMMANDS = ("fleet.cli.app", "COMMANDS")
_BODY = "<module>"
_BESIDE = "sandbox"  # the cloud's side of the wire: what it calls, the product does not


def reachable(modules: Iterable[str]) -> frozenset[str]:
    """Give the full names (`fleet.aws.volumes.delete_volume`) that the modules reach, by what they define and do."""
    ahead = [name for module in modules for name in _read(module).definitions]
    found: set[str] = set()
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            module, _, own = name.rpartition(".")
            ahead.extend(_read(module).named_by(own))
    return frozenset(found)


def effects_by_command() -> dict[str, list[str]]:
    """Give the effects, by full name and sorted, that the module of each command reaches."""
    module, own = _COMMANDS
    commands = ast.literal_eval(_read(module).value_of(own))
    return {name: sorted(filter(_is_effect, reachable([name]))) for name, _ in commands.values()}


def _is_effect(name: str) -> bool:
    module, _, own = name.rpartition(".")
    return _read(module).is_effect(own)


class _Module:
    """One module's top-level definitions, and what the names in it stand for."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self._name = name
        self._own = dict(_own(tree))
        self._imported: dict[str, list[str]] = {}
        for given, target in _imported(tree):  # two functions may import two things under one name
            self._imported.setdefault(given, []).append(target)

    @property
    def definitions(self) -> list[str]:
        return [f"{self._name}.{own}" for own in self._own]

    def value_of(self, own: str) -> ast.expr:
        """Give what is assigned to a name."""
        assigned = self._own[own]
        assert isinstance(assigned, ast.Assign)  # noqa: S101 - for the type checker
        return assigned.value

    def is_effect(self, own: str) -> bool:
        """Whether a definition is marked `@effect(...)`."""
        definition = self._own[own]
        return isinstance(definition, ast.FunctionDef) and any(
            isinstance(mark, ast.Call) and ast.unparse(mark.func) == "effect"
            for mark in definition.decorator_list
        )

    def named_by(self, own: str) -> Iterator[str]:
        """Give the definitions of the package that one definition mentions."""
        for part in ast.walk(self._own[own]):
            if isinstance(part, ast.Name):
                yield from self._resolved(part.id)
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
                for module in self._imported.get(part.value.id, ()):
                    if _source(module) is not None:
                        yield from _read(module).defined(part.attr)

    def defined(self, own: str) -> Iterator[str]:
        """Give the full name of a definition, where it is, also when it only passes through this module."""
        yield from self._resolved(own)

    def _resolved(self, own: str) -> Iterator[str]:
        if own in self._own:
            yield f"{self._name}.{own}"
        for target in self._imported.get(own, ()):
            module, _, name = target.rpartition(".")
            if _source(module) is not None:
                yield from _read(module).defined(name)


def _own(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    yield _BODY, _done_by_import(tree)
    for part in tree.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.name, part
        elif isinstance(part, ast.Assign):
            yield from ((t.id, part) for t in part.targets if isinstance(t, ast.Name))
        elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            yield part.target.id, part


def _done_by_import(tree: ast.Module) -> ast.Module:
    """What a module does when it is imported, such as `group.add_command(other)`."""
    kinds = ast.Expr | ast.For | ast.With
    return ast.Module(body=[p for p in tree.body if isinstance(p, kinds)], type_ignores=[])


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give what each imported name stands for. What is imported for the type checker cannot be called."""
    for part in _run(tree):
        if isinstance(part, ast.ImportFrom) and part.module:
            for alias in part.names:
                yield alias.asname or alias.name, f"{part.module}.{alias.name}"


def _run(part: ast.AST) -> Iterator[ast.AST]:
    for inner in ast.iter_child_nodes(part):
        if isinstance(inner, ast.If) and ast.unparse(inner.test) == "TYPE_CHECKING":
            continue
        yield inner
        yield from _run(inner)


@functools.cache
def _read(module: str) -> _Module:
    source = _source(module)
    text = source.read_text("utf-8") if source else ""
    return _Module(module, ast.parse(text))


@functools.cache
def _source(module: str) -> Path | None:
    """Give a module's file; None for what is no module of ours, or stands on the other side of the wire."""
    package, *inner = module.split(".")
    if package != _PACKAGE or inner[:1] in ([], [_BESIDE]):
        return None
    folder = _ROOT.joinpath(package, *inner[:-1])
    files = (folder / inner[-1] / "__init__.py", folder / f"{inner[-1]}.py")
    return next((path for path in files if path.is_file()), None)
