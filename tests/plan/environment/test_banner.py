"""The bootstrap's part that puts the banner into Jupyter's venv, run by bash."""

from __future__ import annotations

import json
from pathlib import Path

from fleet.assets.shipped import load_texts
from fleet.plan.rendering import render
from tests.plan.environment.test_bootstrap_parts import part, run

TEXTS = load_texts()
PACKAGE = "share/jupyter/labextensions/dl-fleet-banner"


def install(folder: Path, *, server: str = TEXTS.server_extension) -> Path:
    """Install into a venv that was made with two Pythons, one after the other; give the venv."""
    venv = folder / "venv"
    for python in ("python3.10", "python3.12"):
        (venv / "lib" / python / "site-packages").mkdir(parents=True, exist_ok=True)
    banner = part(
        "banner",
        server_extension=server,
        lab_extension=TEXTS.lab_extension,
        lab_package=render(TEXTS.lab_package, lab_extension_id="abc"),
    )
    # As for an account of its own: its shell gets the steps as functions, over stdin.
    script = f"""
as_person() {{ "$@"; }}
venv={venv} person_files={folder / "files"}
persons_part() {{
{banner}
}}
{{ declare -p venv person_files && declare -f && echo persons_part; }} | bash -c 'eval "$(cat)" </dev/null'
"""
    done = run(folder, script)
    assert done.returncode == 0, done.stdout + done.stderr
    return venv


def test_what_is_installed_is_what_ships(tmp_path: Path) -> None:
    venv = install(tmp_path)
    for site in (venv / "lib").glob("python3*/site-packages"):
        assert (site / "fleet_jupyter.py").read_text() == TEXTS.server_extension
    assert (venv / PACKAGE / "static/remoteEntry.js").read_text() == TEXTS.lab_extension
    package = json.loads((venv / PACKAGE / "package.json").read_text())
    assert package["jupyterlab"]["_build"]["load"] == "static/remoteEntry.js?v=abc"


def test_jupyter_starts_again_only_for_another_server_extension(tmp_path: Path) -> None:
    restart = tmp_path / "files/restart/fleet-jupyter.service"
    venv = install(tmp_path)
    restart.unlink()
    install(tmp_path)
    assert not restart.exists()
    (venv / PACKAGE / "static/remoteEntry.js").write_text("of an earlier version")
    install(tmp_path)
    assert not restart.exists()
    install(tmp_path, server="pass\n")
    assert restart.exists()
