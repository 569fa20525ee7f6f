"""The handed-out URLs in a real browser."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import Cli, write_spec

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: no page was opened"),
]
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def page(url: str, folder: Path) -> str:
    """Open a page and give its DOM after 30 s of the page's own time."""
    done = subprocess.run(
        [
            str(CHROMIUM),
            *FLAGS,
            f"--user-data-dir={folder}",
            "--virtual-time-budget=30000",
            "--dump-dom",
            url,
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.stdout


def test_the_links_open(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "browse", members="[solo]")
    (solo,) = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    lab = page(solo["jupyter_url"], tmp_path / "lab")
    assert "jp-Launcher" in lab, "JupyterLab shows its launcher without asking for anything"
    assert "Python 3" in lab
    assert "Jupyter news" not in lab
    locked = page(solo["jupyter_url"].split("?")[0], tmp_path / "locked")
    assert "jp-Launcher" not in locked
    assert "Password or token" in locked
    assert "<title>TensorBoard</title>" in page(solo["tensorboard_url"], tmp_path / "board")
    cli("--sandbox", "down", "browse")
