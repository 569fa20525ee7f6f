"""A script that fails spoils its own environment alone, and `fleet bootstrap` runs it again, without the spec."""

from __future__ import annotations

import ssl
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SCRIPT = "echo run >>~/ran\nif [ -e ~/stop ]; then echo 'the data set is not there'; exit 7; fi\n"


def test_a_script_that_fails_is_run_again(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "setup.sh").write_text(SCRIPT)
    spec = write_spec(
        tmp_path,
        "again",
        members="[ana, ben]",
        bootstrap="{script: ./setup.sh, packages: [einops]}",
    )
    first = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    assert [each["state"] for each in first] == ["ready", "ready"]
    spec.unlink()

    said(cli, "ben", "touch ~/stop")
    failed = cli("--sandbox", "bootstrap", "again")
    assert failed.returncode == 3
    assert "1 of 2 ready" in failed.stderr
    assert "[ben] failed: bootstrap step `script` failed (exit status 7)" in failed.stderr
    assert "[ben] log: the data set is not there" in failed.stderr
    assert "fleet bootstrap again --member ben" in failed.stderr

    said(cli, "ben", "rm ~/stop")
    (ben,) = cli.json("--sandbox", "bootstrap", "again", "--member", "ben", "-o", "json")[
        "environments"
    ]
    assert ben == first[1]
    assert (said(cli, "ana", "wc -l <~/ran"), said(cli, "ben", "wc -l <~/ran")) == ("2", "3")

    # What JupyterLab brings along: git and the GPUs; and none of it answers without the token.
    extensions = said(cli, "ana", "~/.fleet/jupyter/bin/jupyter labextension list 2>&1")
    assert "@jupyterlab/git" in extensions
    assert "jupyterlab-nvdashboard" in extensions
    token = ben["jupyter_url"].split("token=")[1]
    for path in ("nvdashboard/cpu_resource", "git/settings", "api/contents"):
        assert upgrade(ben["address"], path) in {302, 403}, path
    assert upgrade(ben["address"], "nvdashboard/cpu_resource", token) == 101
    assert cli("--sandbox", "down", "again").returncode == 0


def said(cli: Cli, member: str, line: str) -> str:
    shown: dict[str, Any] = cli.json(
        "--sandbox", "exec", "--member", member, "-o", "json", "again", "--", line
    )["results"][0]
    assert shown["exit_status"] == 0, shown
    return str(shown["stdout"]).strip()


def upgrade(address: str, path: str, token: str | None = None) -> int:
    """Ask for a websocket; gives the HTTP status."""
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **({"Authorization": f"token {token}"} if token else {}),
    }
    # The token is looked at here, not the certificate.
    context = ssl._create_unverified_context()
    with closing(HTTPSConnection(address, 8888, timeout=30, context=context)) as connection:
        connection.request("GET", f"/{path}", headers=headers)
        return connection.getresponse().status
