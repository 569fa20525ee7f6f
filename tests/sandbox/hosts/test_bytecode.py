"""What uv's cache holds is compiled once, and hosts' environments are linked with it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from uv import find_uv_bin

from fleet.sandbox.hosts.bytecode import compile_new
from fleet.sandbox.hosts.disk import base_python


def test_an_environment_has_the_bytecode_of_the_cache(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = make(tmp_path / "first", cache)
    assert not list(first.glob("lib/python3*/site-packages/einops/**/*.pyc"))
    compiling = compile_new(cache, {})
    assert compiling is not None
    assert compiling.wait(120) == 0
    (compiled,) = make(tmp_path / "second", cache).glob(
        "lib/python3*/site-packages/einops/__pycache__/__init__.*.pyc"
    )
    # Python takes it: nothing is written anew.
    before = compiled.stat().st_mtime_ns
    python = str(tmp_path / "second/bin/python")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    said = subprocess.run(
        [python, "-v", "-c", "import einops"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"matches {compiled.parent.parent}/__init__.py" in said.stderr
    assert compiled.stat().st_mtime_ns == before
    assert compile_new(cache, {}) is None


def make(where: Path, cache: Path) -> Path:
    """Make an environment with a small package, as a host does."""
    environment = {**os.environ, "UV_CACHE_DIR": str(cache / "uv")}
    uv = find_uv_bin()
    for words in (
        ["venv", "--quiet", "--python", base_python(), str(where)],
        ["pip", "install", "--quiet", "--python", str(where / "bin/python"), "einops"],
    ):
        subprocess.run([uv, *words], env=environment, timeout=120, check=True)
    return where
