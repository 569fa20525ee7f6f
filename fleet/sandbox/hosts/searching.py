"""`find` and `tar` as a host's root runs them: whole trees are the host's own, whatever their names on the machine.

A path of the machine is never searched: what is removed afterwards is what was found. Their own /tmp is the host's
TMPDIR, for that of the machine is everybody's. Pure, but for looking where links lead.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import takewhile

from fleet.sandbox.hosts.paths import SHARED, HostPaths, below
from fleet.sandbox.hosts.refusals import Refusal

_TEMPORARY = ("/tmp", "/var/tmp")  # noqa: S108 - named, not written to
_OPERATORS = frozenset({"(", ")", "!", "-not", "-o", "-or", "-a", "-and"})
_TESTS = frozenset(
    {"-xdev", "-mount", "-prune", "-print", "-print0", "-delete", "-empty", "-depth"}
)
_VALUED = frozenset(
    {"-mindepth", "-maxdepth", "-type", "-size", "-name", "-iname", "-mtime", "-mmin", "-perm"}
)
_PATTERNS = frozenset({"-path", "-wholename", "-ipath"})
_PACKING = frozenset(
    {"-c", "-P", "--absolute-names", "--no-recursion", "--ignore-failed-read", "--null"}
)


def own(paths: HostPaths, path: str) -> str:
    """The file of the host that an absolute path means. Raises Refusal for what every host shares."""
    if not below(path, str(paths.top)):
        for temporary in _TEMPORARY:
            if below(path, temporary):
                return str(paths.tmp) + path.removeprefix(temporary)
        if any(below(path, shared) for shared in SHARED):
            raise Refusal(f"{path} is the machine's, not this host's")
    real = paths.real(path)
    if not below(os.path.realpath(os.path.dirname(real)), os.path.realpath(paths.top)):
        raise Refusal(f"{path} leads out of this host")
    return real


def find(paths: HostPaths, words: list[str]) -> Iterator[str]:
    """The arguments of `find`, with the host's own files in place of those that are named."""
    starts = list(takewhile(lambda word: word not in _OPERATORS and word[:1] != "-", words))
    if not starts or not all(start.startswith("/") for start in starts):
        raise Refusal("find: name where to begin by an absolute path")
    yield from (own(paths, start) for start in starts)
    rest = iter(words[len(starts) :])
    for word in rest:
        yield word
        if word in _PATTERNS:
            yield _pattern(paths, next(rest, ""))
        elif word in _VALUED:
            yield next(rest, "")
        elif word not in _OPERATORS | _TESTS:
            raise Refusal(f"find {word} is not known here")


def _pattern(paths: HostPaths, pattern: str) -> str:
    return own(paths, pattern) if pattern.startswith("/") else pattern


def tar(paths: HostPaths, words: list[str]) -> Iterator[str]:
    """The arguments of `tar`, which packs the files that stdin names, by the names that they have on the host."""
    if [word for word in words if word not in _PACKING] != ["-T", "-"] or "-c" not in words:
        raise Refusal("tar packs here what stdin names, and no more: tar -c --null -T -")
    yield from words
    for real, named in ((paths.top / "home", "/home"), (paths.tmp, "/tmp"), (paths.root, "")):  # noqa: S108
        yield f"--transform=flags=r;s|^{_literal(str(real))}/|{named}/|"


def _literal(text: str) -> str:
    return re.sub(r"([].*[^$|\\])", r"\\\1", text)
