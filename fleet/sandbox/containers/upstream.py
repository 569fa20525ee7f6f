"""Where this machine gets its Python packages: what uv's and pip's variables and files say, else PyPI.

Reads the environment and asks pip; gives an `Upstream`. Nothing here opens a connection.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_DEFAULT = "https://pypi.org/simple"


@dataclass(frozen=True)
class Upstream:
    """Where the machine gets its packages: indexes by URL (https or file), and folders of wheels."""

    indexes: tuple[str, ...]
    folders: tuple[Path, ...] = ()


def upstream(environ: Mapping[str, str], settings: Mapping[str, str]) -> Upstream:
    """What uv's and pip's variables say, then pip's `settings` by name, else PyPI."""

    def told(*names: str) -> str:
        variables = (environ.get(name, "") for name in names)
        return next(filter(None, variables), "")

    first = told("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") or settings.get(
        "index-url", ""
    )
    more = told("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")
    more = more or settings.get("extra-index-url", "")
    links = told("UV_FIND_LINKS", "PIP_FIND_LINKS") or settings.get("find-links", "")
    folders = (Path(each.removeprefix("file://")) for each in re.split(r"[\s,]+", links) if each)
    return Upstream(
        indexes=(*(_plain(each) for each in more.split()), _plain(first or _DEFAULT)),
        folders=tuple(each for each in folders if each.is_dir()),
    )


def _plain(url: str) -> str:
    """Without uv's name in front."""
    return re.sub(r"^[\w.-]+=(?=https?:|file:)", "", url).rstrip("/")


def pip_settings() -> dict[str, str]:
    """What pip's files say, by name; nothing where there is no pip."""
    words = [sys.executable, "-m", "pip", "config", "list"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = re.findall(r"^(?:global|user|site)\.([\w-]+)='(.*)'$", done.stdout, re.MULTILINE)
    return {name: text.encode().decode("unicode_escape") for name, text in found}


def machine_upstream() -> Upstream:
    """The indexes of the machine that the sandbox runs on."""
    return upstream(os.environ, pip_settings())
