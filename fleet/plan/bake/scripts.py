"""Renders what a bake does on its builder, and reads what that says. Text in, text out.

A script travels on stdin with what it needs beside it (the recipe's files, secrets to look for): nothing of that ever
is an argument, which every user of a host may read.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.errors import BakeError
from fleet.plan.record.tokens import digest
from fleet.plan.rendering import render
from fleet.recipe.checks import Test
from fleet.recipe.files import FILES, NOTEBOOKS, SCRIPTS, RecipeFiles
from fleet.recipe.model import Recipe
from fleet.recipe.steps import Step

STAMPS = ".fleet/bake/done"
"""Lists the stamps of the steps that a builder has behind it, below its home."""
_KEPT = (
    *("jupyter", "kernels", "uv", "tensorflow", "pytorch", "mxnet"),
    *("probe", "probed", "packages", "watchers"),
)
"""What stays below ~/.fleet: installations, and what is known of them."""
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class BakeTexts:
    """`parts` are templates by name, those of a bootstrap too; `programs` are Python by file name, and no templates."""

    parts: Mapping[str, str]
    programs: Mapping[str, str]


@dataclass(frozen=True)
class TestResult:
    """What became of one test of a recipe. `log` holds its last lines."""

    __test__ = False  # pytest takes every class called Test… for its own

    title: str
    passed: bool
    log: tuple[str, ...]


@dataclass(frozen=True, order=True)
class Finding:
    """Something that may not become part of an image: where and what, and never the secret itself.

    `line` counts from 1; 0 is the file as a whole.
    """

    path: str
    line: int
    what: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.what}"


def stamps(recipe: Recipe, files: RecipeFiles) -> tuple[str, ...]:
    """Identify each step by what it is made of and by those before it: after a changed one all are done again."""
    found, before = [], ""
    members = _members(files)
    for index, step in enumerate(recipe.steps):
        mine = (f"{SCRIPTS}/{index}.sh", f"{FILES}/{index}/")
        own = [(name, told) for name, told in members if name.startswith(mine)]
        before = digest(before, step.kind, step.model_dump(mode="json"), own)
        found.append(before)
    return tuple(found)


def _members(files: RecipeFiles) -> list[tuple[str, list[str | int]]]:
    """Each member of the archive with what decides what is unpacked."""
    if not files.archive:
        return []
    found: list[tuple[str, list[str | int]]] = []
    with tarfile.TarFile(fileobj=io.BytesIO(gzip.decompress(files.archive))) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            text = content.read().hex() if content else ""
            found.append((member.name, [member.mode, member.linkname, digest(text)]))
    return found


def render_step(texts: BakeTexts, step: Step, *, index: int, stamp: str, seconds: int) -> str:
    """Render the script of a step, which ends by itself after `seconds`; what it writes is for people."""
    return _rendered(
        texts,
        "bake/step",
        step=step,
        index=index,
        stamp=stamp,
        seconds=seconds,
        scripts=SCRIPTS,
        files=FILES,
        stamps=STAMPS,
    )


def render_test(texts: BakeTexts, test: Test, *, index: int, gpus: int, seconds: int) -> str:
    """Render the script of a test: its exit status is the answer."""
    return _rendered(
        texts,
        "bake/test",
        test=test,
        index=index,
        gpus=gpus,
        seconds=seconds,
        notebooks=NOTEBOOKS,
    )


def render_unpack(texts: BakeTexts) -> str:
    """Render the script that unpacks the recipe's files, which come on its stdin."""
    return _rendered(texts, "bake/unpack")


def render_manifest(texts: BakeTexts) -> str:
    """Render the script that prints what is on the host, as `fleet.plan.bake.manifest` reads it."""
    return _rendered(texts, "bake/manifest", program=texts.programs["packages.py"])


def render_scan(texts: BakeTexts, *, sanitised: bool) -> str:
    """Render the script that looks for secrets; `scan_input` comes on its stdin."""
    return _rendered(texts, "bake/scan", program=texts.programs["leaks.py"], sanitised=sanitised)


def scan_input(known: Sequence[str]) -> bytes:
    """Write the secrets that a scan knows of for its stdin."""
    return json.dumps([each for each in known if each]).encode()


def render_sanitise(texts: BakeTexts) -> str:
    """Render the script after which nobody can log in: its last step is `sanitise`, told as done when all of it is."""
    return _rendered(texts, "bake/sanitise", kept=_KEPT)


def _rendered(texts: BakeTexts, part: str, **values: object) -> str:
    return render(texts.parts[part], texts.parts, **values)


def parse_findings(text: str) -> tuple[Finding, ...]:
    """Read what a scan has printed. Raises BakeError where it did not come to its end, or looked at nothing."""
    found, looked_at = [], 0
    for line in text.splitlines():
        try:
            told = json.loads(line)
            if "files" in told:
                looked_at = int(told["files"])
            else:
                path, what = plain(str(told["path"])), plain(str(told["what"]))
                found.append(Finding(path, int(told["line"]), what))
        except (ValueError, TypeError, KeyError) as error:
            raise _broken_scan() from error
    if not looked_at:
        raise _broken_scan()
    return tuple(sorted(set(found)))


def _broken_scan() -> BakeError:
    return BakeError(
        "the scan for secrets did not come to its end", remedy="run `fleet bake` again"
    )


def plain(line: str) -> str:
    """A line as a terminal may show it: of what overwrites itself the last, without escapes and control characters."""
    return _CONTROLS.sub("", _ESCAPES.sub("", line.rstrip("\r").rpartition("\r")[2]))
