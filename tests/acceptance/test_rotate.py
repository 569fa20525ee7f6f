"""Tokens change in one go: killed in the middle it is finished by the next run, and no old token comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleet.jupyter.http import Server, request
from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def statuses(cli: Cli, environment: dict[str, Any], token: str) -> tuple[int, int]:
    """What Jupyter and TensorBoard answer to a token."""
    authority = cli("--sandbox", "ca", "turn").stdout
    address = environment["address"]
    jupyter, tensorboard = (Server(address, port, authority) for port in (8888, 6006))
    return (
        request(jupyter, "GET", "/api/kernels", token=token, timeout=60).status,
        request(tensorboard, "GET", "/tensorboard/", token=token, timeout=60).status,
    )


def token_of(environment: dict[str, Any]) -> str:
    return str(environment["jupyter_url"].split("token=")[1])


def test_a_rotation_is_finished_and_stays(own: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "turn")
    before = own.json("--sandbox", "up", str(spec), "-o", "json")["environments"]

    _kill_in_the_middle(own)
    again = own("--sandbox", "rotate", "turn", "-o", "json")
    assert again.returncode == 0, again.stderr
    assert "one that broke off is finished" in again.stderr
    assert "a new link is needed by ana, ben" in again.stderr
    after = json.loads(again.stdout)["environments"]
    for old, new in zip(before, after, strict=True):
        assert token_of(old) != token_of(new)
        assert statuses(own, new, token_of(old)) == (403, 302)
        assert statuses(own, new, token_of(new)) == (200, 200)
    assert [token_of(e) for e in _status(own)] == [token_of(e) for e in after]

    # One member alone; the other's link stays.
    (ben,) = own.json("--sandbox", "rotate", "turn", "--member", "ben", "-o", "json")[
        "environments"
    ]
    assert statuses(own, after[1], token_of(after[1])) == (403, 302)
    assert statuses(own, ben, token_of(ben)) == (200, 200)
    assert token_of(_status(own)[0]) == token_of(after[0])

    # An instance that stands in for a lost one begins with the token of now.
    own("--sandbox", "down", "turn", "--member", "ben", "--yes")
    replaced = own.json("--sandbox", "up", str(spec), "-o", "json")["environments"][1]
    assert replaced["instance_id"] != ben["instance_id"]
    assert token_of(replaced) == token_of(ben)

    receipt = own.json("--sandbox", "down", "turn", "-o", "json")
    assert not any(receipt["remaining"].values())


def test_bad_input_is_one_line(own: Cli) -> None:
    done = own("--sandbox", "rotate", "nobody")
    assert done.returncode == 1
    assert "there is no fleet nobody" in done.stderr.splitlines()[-1]


def _status(cli: Cli) -> Any:
    return cli.json("--sandbox", "status", "turn", "-o", "json")["environments"]


def _kill_in_the_middle(cli: Cli) -> None:
    """Kill a rotation when the first host is being told: no earlier, and before the second is done."""
    running = subprocess.Popen(
        [FLEET, "--sandbox", "rotate", "turn"],
        env=cli.environment | {"PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        assert running.stderr is not None
        seen = next(line for line in running.stderr if "] rotate" in line)
        os.kill(running.pid, signal.SIGKILL)
    assert seen
    broken_off = _status(cli)
    assert {e["state"] for e in broken_off} == {"unreachable"}
    assert "its rotation broke off" in broken_off[0]["reason"]
