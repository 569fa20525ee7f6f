"""What a bootstrap brings, how its failures are told, and that `fleet bootstrap` runs it again, without the spec."""

from __future__ import annotations

import json
import ssl
import subprocess
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FAILS = "echo no such dataset >&2; exit 9\n"
SCRIPT = """echo "$1:done" >>~/marker
if [ -e ~/stop ]; then echo 'the data set is not there'; exit 7; fi
"""


@dataclass(frozen=True)
class Again:
    """A fleet whose first `up` met a script that fails; the second one, with another script, made it ready."""

    cli: Cli
    spec: Path
    failed: subprocess.CompletedProcess[str]
    ready: list[dict[str, Any]]


@pytest.fixture(scope="module")
def again(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Again:
    folder = tmp_path_factory.mktemp("again")
    (folder / "data").mkdir()
    (folder / "data" / "digits.csv").write_text("1,2,3\n")
    (folder / "setup.sh").write_text(FAILS)
    bootstrap = "{packages: [einops], files: {./data: ~/course data}, script: ./setup.sh}"
    spec = write_spec(folder, "again", bootstrap=bootstrap)
    failed = cli("--sandbox", "up", str(spec), "-o", "json")
    (folder / "setup.sh").write_text(SCRIPT)
    ready = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    return Again(cli, spec, failed, ready)


def test_a_failing_script_is_told_with_its_last_lines(again: Again) -> None:
    assert again.failed.returncode == 3
    before = json.loads(again.failed.stdout)["environments"]
    assert all(
        "bootstrap step `script` failed (exit status 9): no such dataset" in each["reason"]
        for each in before
    )
    # What runs keeps running; corrected, the next up finishes the work on the same instances.
    assert [e["instance_id"] for e in again.ready] == [e["instance_id"] for e in before]
    assert [e["state"] for e in again.ready] == ["ready", "ready"]


def test_it_brings_packages_files_and_script_once(again: Again) -> None:
    python = "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import einops; print(einops.__name__)'"
    command = f"cat ~/'course data'/digits.csv ~/marker; {python}"
    for member in ("ana", "ben"):
        assert said(again.cli, member, command).splitlines() == ["1,2,3", ":done", "einops"]
    again.cli.json("--sandbox", "up", str(again.spec), "-o", "json")
    for member in ("ana", "ben"):
        assert said(again.cli, member, "wc -l <~/marker") == "1"


def test_what_jupyterlab_brings_along_answers_nobody_without_the_token(again: Again) -> None:
    """Git and the GPUs."""
    extensions = said(again.cli, "ana", "~/.fleet/jupyter/bin/jupyter labextension list 2>&1")
    assert "@jupyterlab/git" in extensions
    assert "jupyterlab-nvdashboard" in extensions
    ben = again.ready[1]
    token = ben["jupyter_url"].split("token=")[1]
    for path in ("nvdashboard/cpu_resource", "git/settings", "api/contents"):
        assert upgrade(ben["address"], path) in {302, 403}, path
    assert upgrade(ben["address"], "nvdashboard/cpu_resource", token) == 101


def test_a_script_that_fails_is_run_again(again: Again) -> None:
    """The last one here: the spec goes, and then the fleet."""
    cli = again.cli
    again.spec.unlink()
    before = [int(said(cli, member, "wc -l <~/marker")) for member in ("ana", "ben")]
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
    assert ben == again.ready[1]
    after = [int(said(cli, member, "wc -l <~/marker")) for member in ("ana", "ben")]
    assert after == [before[0] + 1, before[1] + 2]
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
