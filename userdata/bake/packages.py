"""Prints what is on a host as JSON: packages of the system and of each Python environment, with versions and KiB.

Runs on the host, as its login user, with the standard library of Python 3.9; reads metadata only and imports nothing.
The text of /etc/os-release comes in RELEASE.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

Packages = dict[str, tuple[str, int]]
_SITES = (
    "lib/python3*/site-packages",
    "lib/python3*/dist-packages",
    "lib64/python3*/site-packages",
)
_SECONDS = 60


def system_of(release: str) -> str:
    """The system's name and version, of the text of os-release."""
    told = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', release, re.MULTILINE))
    return f"{told.get('NAME', 'Linux')} {told.get('VERSION_ID', '')}".strip()


def _lines(*words: str) -> list[list[str]]:
    """The fields of each line that a program prints; none where there is no such program."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, errors="replace", timeout=_SECONDS, check=False
        )
    except OSError:
        return []
    return [line.split("\t") for line in done.stdout.splitlines()]


def apt_packages() -> Packages:
    """What dpkg says is installed."""
    asked = "${db:Status-Status}\t${Package}\t${Version}\t${Installed-Size}\n"
    told = _lines("dpkg-query", "-W", "-f", asked)
    return {
        name: (version, int(kib or 0)) for state, name, version, kib in told if state == "installed"
    }


def rpm_packages() -> Packages:
    """What rpm says is installed; the newest of several versions stands for all."""
    told = _lines("rpm", "-qa", "--qf", "%{NAME}\t%{VERSION}-%{RELEASE}\t%{SIZE}\n")
    return {name: (version, int(size) // 1024) for name, version, size in sorted(told)}


def environment(prefix: Path) -> Packages:
    """What is installed in an environment: a venv, a conda environment, an interpreter's own packages."""
    found = dict(_conda(prefix))
    known = {_normal(name) for name in found}
    for site in (path for pattern in _SITES for path in prefix.glob(pattern)):
        for name, version, kib in _installed_in(site):
            if _normal(name) not in known:
                found[name] = (version, kib)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _conda(prefix: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    for path in prefix.glob("conda-meta/*.json"):
        told = _json(path)
        paths = told.get("paths_data", {}).get("paths", ())
        size = sum(each.get("size_in_bytes") or 0 for each in paths) or told.get("size") or 0
        if "name" in told and "version" in told:
            yield told["name"], (told["version"], size // 1024)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_text("utf-8", "replace"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _installed_in(site: Path) -> Iterator[tuple[str, str, int]]:
    for info in (*site.glob("*.dist-info"), *site.glob("*.egg-info")):
        described = info if info.is_file() else info / "METADATA"
        if not described.is_file():
            described = info / "PKG-INFO"
        try:
            headers = HeaderParser().parsestr(_head(described))
            name, version = headers["Name"], headers["Version"]
        except OSError:
            continue
        if name and version:
            yield name, version, _recorded(info / "RECORD") // 1024


def _head(path: Path) -> str:
    """A file up to its first empty line: what follows is the package's description."""
    lines = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            if not line.strip():
                break
            lines.append(line)
    return "".join(lines)


def _recorded(record: Path) -> int:
    """The bytes of a package's files, as its RECORD has them: `path,hash,size`."""
    try:
        with record.open(encoding="utf-8", errors="replace") as file:
            sizes = (line.rstrip().rpartition(",")[2] for line in file)
            return sum(int(size) for size in sizes if size.isdigit())
    except OSError:
        return 0


def prefixes(home: Path) -> list[Path]:
    """The environments: those that the bootstrap has found frameworks in, its own, those of recipes, conda's."""
    found = [
        Path(line[2]).parent.parent for line in _table(home / ".fleet/probed") if len(line) == 3
    ]
    found += [path for path in sorted(home.glob("venvs/*")) if path.is_dir()]
    found += [path.parent for path in sorted((home / ".fleet").glob("*/.fleet-installed"))]
    for base in {each for path in found for each in (path, path.parent.parent)}:
        if (base / "conda-meta").is_dir():
            found += [base, *(path.parent for path in sorted(base.glob("envs/*/conda-meta")))]
    return list(dict.fromkeys(found))


def _place(prefix: Path, home: Path) -> str:
    """An environment's path, which is the same for the same one on another host."""
    return f"~/{prefix.relative_to(home)}" if home in prefix.parents else str(prefix)


def _table(path: Path) -> list[list[str]]:
    try:
        return [line.split("\t") for line in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return []


def used_mib(path: str) -> int:
    """What the disk holds, in MiB."""
    told = os.statvfs(path)
    return (told.f_blocks - told.f_bfree) * told.f_frsize // (1 << 20)


def main(told: Mapping[str, str]) -> int:
    """Print it."""
    home = Path(told["HOME"])
    found = {_place(prefix, home): environment(prefix) for prefix in prefixes(home)}
    print(  # noqa: T201 - it is what this program is for
        json.dumps(
            {
                "system": system_of(told.get("RELEASE", "")),
                "used_mib": used_mib("/"),
                "apt": apt_packages(),
                "rpm": rpm_packages(),
                "environments": {path: packages for path, packages in found.items() if packages},
            },
            sort_keys=True,
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
