"""The lock: all that pyproject.toml asks for is in it, at a version that fits, with hashes and without an address."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text("utf-8")
PINNED = re.compile(r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==(\S+)(?: ; [^\\]+)? \\$", re.MULTILINE)
OTHER = re.compile(r" +--hash=sha256:[0-9a-f]{64}(?: \\)?| *#.*|")


def test_what_pyproject_asks_for_is_locked() -> None:
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    project = asked["project"]
    locked: dict[str, list[str]] = defaultdict(list)
    for name, version in PINNED.findall(LOCK):
        locked[name].append(version)
    for text in (
        *asked["build-system"]["requires"],
        *project["dependencies"],
        *project["optional-dependencies"]["sandbox"],
        *asked["dependency-groups"]["dev"],
    ):
        wanted = Requirement(text)
        versions = locked[canonicalize_name(wanted.name)]
        assert versions, f"{wanted.name} is not in the lock: `make lock`"
        assert all(map(wanted.specifier.contains, versions)), f"{wanted}, {versions}: `make lock`"


def test_the_lock_names_versions_and_hashes_and_no_place() -> None:
    lines = [line for line in LOCK.splitlines() if not OTHER.fullmatch(line)]
    assert len(lines) > 50
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    assert "://" not in LOCK


def test_the_page_about_moto_is_about_the_release_that_is_locked() -> None:
    (version,) = (version for name, version in PINNED.findall(LOCK) if name == "moto")
    page = (ROOT / "docs" / "moto.md").read_text("utf-8")
    assert f"For moto {version}," in page, "see what has changed: pytest tests/sandbox/moto"
