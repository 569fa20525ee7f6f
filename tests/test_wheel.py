"""The wheel, installed into a bare environment: the command runs, and finds templates, userdata and amis."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FIND = """
from fleet.assets.shipped import load_catalogue, load_price_snapshot, load_texts, shipped
assert "site-packages" in str(shipped("templates")), shipped("templates")
assert "bootstrap" in load_texts().bootstrap
assert load_texts().first_boot.startswith("#cloud-config")
assert len(load_catalogue().lines) >= 7
assert load_price_snapshot()["us-east-1"]["instance/p2.xlarge"].usd
print("found")
"""


def _run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_bare_installation_finds_what_ships(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    _run(uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "fleet/_data/templates/bootstrap.sh.j2" in names
    assert "fleet/_data/userdata/first-boot.yaml.j2" in names
    assert "fleet/_data/userdata/watchers/lifetime.py" in names
    assert not [name for name in names if "__pycache__" in name]
    assert "fleet/_data/amis/dlami.yaml" in names
    assert not [name for name in names if name.startswith(("tests/", "templates/", "docs/"))]
    _run(uv, "venv", "--quiet", "--python", sys.executable, "bare", cwd=tmp_path)
    python = tmp_path / "bare" / "bin" / "python"
    _run(uv, "pip", "install", "--quiet", "--python", python, wheel, cwd=tmp_path)
    assert _run(python, "-c", FIND, cwd=tmp_path) == "found\n"
    assert _run(python.with_name("fleet"), "--version", cwd=tmp_path).startswith("fleet ")
    told = subprocess.run(
        [python.with_name("fleet"), "--sandbox", "ls"],
        cwd=tmp_path,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 1
    assert "dl-fleet[sandbox]" in told.stderr, "without the extra, one line says what to install"
