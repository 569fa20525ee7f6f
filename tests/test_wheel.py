"""The wheel, installed as `uv tool install .` does it: the command runs, and finds what ships; no source is needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.cli.account.iam import policy_document

ROOT = Path(__file__).parent.parent
UV = Path(sys.executable).with_name("uv")

FIND = """
from fleet.assets.shipped import load_catalogue, load_launch_texts, load_price_snapshot, load_texts, shipped
assert "site-packages" in str(shipped("templates")), shipped("templates")
assert "bootstrap" in load_texts().bootstrap
assert load_launch_texts().first_boot.startswith("#cloud-config")
assert len(load_catalogue().lines) >= 7
assert load_price_snapshot()["us-east-1"]["instance/p2.xlarge"].usd
print("found")
"""

pytestmark = pytest.mark.slow


def _run(*words: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Installed:
    """The product in an environment of its own, and a folder that is far from the checkout."""

    command: Path
    python: Path
    cwd: Path

    def fleet(self, *words: str | Path) -> str:
        return _run(self.command, *words, cwd=self.cwd)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("tools")
    where = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    install = (UV, "tool", "install", "--quiet", "--python", sys.executable, ROOT)
    _run(*install, cwd=folder, env={**os.environ, **where})
    python = folder / "tools" / "dl-fleet" / "bin" / "python"
    return Installed(folder / "bin" / "fleet", python, folder)


def test_the_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    _run(UV, "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "fleet/_data/templates/bootstrap.sh.j2" in names
    assert "fleet/_data/userdata/first-boot.yaml.j2" in names
    assert "fleet/_data/userdata/watchers/lifetime.py" in names
    assert "fleet/_data/amis/dlami.yaml" in names
    assert "fleet/_data/effects.json" in names
    assert not [name for name in names if "__pycache__" in name]
    assert not [name for name in names if not name.startswith(("fleet/", "dl_fleet-"))]


def test_an_installation_from_a_clone_finds_what_ships(installed: Installed) -> None:
    assert _run(installed.python, "-c", FIND, cwd=installed.cwd) == "found\n"
    assert installed.fleet("--version").startswith("fleet ")
    assert "workshop" in installed.fleet("spec", "check", ROOT / "examples" / "workshop.yaml")


def test_an_installation_prints_the_checkouts_policy_and_has_nothing_to_read_source_with(
    installed: Installed,
) -> None:
    assert json.loads(installed.fleet("iam", "policy")) == policy_document(None)
    some = installed.fleet("iam", "policy", "--command", "status,urls")
    assert json.loads(some) == policy_document("status,urls")
    absent = "import importlib.util; print(importlib.util.find_spec('buildtools'))"
    assert _run(installed.python, "-c", absent, cwd=installed.cwd) == "None\n"


def test_without_the_extra_one_line_says_what_to_install(installed: Installed) -> None:
    told = subprocess.run(
        [installed.command, "--sandbox", "ls"],
        cwd=installed.cwd,
        env={"HOME": str(installed.cwd), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 1
    assert "dl-fleet[sandbox]" in told.stderr
