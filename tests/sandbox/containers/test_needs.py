"""What is missing for container hosts is told on one line, with what brings it; nothing is made before."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command import FLEET, Cli

START = (FLEET, "sandbox", "start", "--hosts", "container")


def start_where(cli: Cli, *within: str) -> subprocess.CompletedProcess[str]:
    """Start under another user or with other programs; skipped where this user may not."""
    able = subprocess.run([*within, "true"], capture_output=True, timeout=60, check=False)
    if able.returncode != 0:
        pytest.skip(f"this user may not run {within[0]}: {able.stderr.decode().strip()}")
    return subprocess.run(
        [*within, *START],
        env=cli.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def nothing_was_made(cli: Cli) -> bool:
    return not Path(cli.environment["FLEET_SANDBOX_DIR"]).exists()


def test_without_root(bare: Cli) -> None:
    said = start_where(bare, *(("unshare", "--user") if os.geteuid() == 0 else ("env",)))
    assert said.returncode == 1
    assert said.stderr == (
        "fleet: container hosts need root: they are mounted and given networks of their own: "
        "run it as root, or use --hosts process\n"
    )
    assert nothing_was_made(bare)


def test_without_systemd_nspawn(bare: Cli) -> None:
    found = shutil.which("systemd-nspawn")
    if found is None or os.geteuid() != 0:
        pytest.skip("it takes root to hide systemd-nspawn")
    hide = f'mount --bind /dev/null {found} && exec "$@"'
    said = start_where(bare, "unshare", "--mount", "sh", "-c", hide, "sh")
    assert said.returncode == 1
    assert (
        said.stderr
        == "fleet: container hosts need systemd-nspawn: apt-get install systemd-container\n"
    )
    assert nothing_was_made(bare)
