"""Spot notices on hosts that boot: `up` brings another host under the same name and token, `watch` does it alone."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet.jupyter.http import Server, request
from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SECONDS = 300


def environments(cli: Cli) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cli.json("--sandbox", "status", "keep", "-o", "json")[
        "environments"
    ]
    return found


def by_member(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["member"]: one for one in found}


def interrupt(cli: Cli, member: str, *more: str) -> None:
    done = cli("sandbox", "fault", "add", "spot-interruption", "--member", member, *more)
    assert done.returncode == 0, done.stderr


def opens(cli: Cli, environment: dict[str, Any]) -> int:
    """What Jupyter answers to the token of an environment's link."""
    authority = cli("--sandbox", "ca", "keep").stdout
    token = environment["jupyter_url"].split("token=")[1]
    server = Server(environment["address"], 8888, authority)
    return request(server, "GET", "/api/kernels", token=token, timeout=60).status


@contextmanager
def watching(cli: Cli, spec: Path) -> Iterator[subprocess.Popen[str]]:
    """A watch that has begun."""
    with subprocess.Popen(
        [FLEET, "--sandbox", "watch", str(spec), "--every", "1s", "-o", "json"],
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert event(process)["event"] == "watching"
            yield process
        finally:
            process.kill()


def outside(cli: Cli) -> Cli:
    """The same cloud as AWS itself would be: where nobody is asked in the sandbox, somebody has to answer here."""
    told = cli.sandbox_environment()
    kept = {name: text for name, text in told.items() if name.startswith(("AWS_", "FLEET_"))}
    del kept["FLEET_SANDBOX"]
    return Cli(cli.folder, kept)


def event(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def test_spot_capacity_is_reclaimed(cli: Cli, tmp_path: Path) -> None:
    """Over a minute on two cores: two hosts boot, and one for each of them when it is taken back."""
    market = "{types: [g5.xlarge, g4dn.xlarge], market: spot}"
    spec = write_spec(tmp_path, "keep", instances=market)
    first = by_member(cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"])

    interrupt(cli, "ana", "--notice", "10m")
    going = by_member(environments(cli))["ana"]
    assert (going["state"], going["instance_id"]) == ("leaving", first["ana"]["instance_id"])
    assert "`fleet up` replaces it" in going["reason"]

    done = cli("--sandbox", "up", str(spec), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert "a new link is needed by ana: " in done.stderr
    second = by_member(json.loads(done.stdout)["environments"])
    old, new = first["ana"], second["ana"]
    assert new["instance_id"] != old["instance_id"]
    assert second["ben"]["instance_id"] == first["ben"]["instance_id"]
    assert new["jupyter_url"] == old["jupyter_url"].replace(old["address"], new["address"])
    assert opens(cli, new) == 200
    both = environments(cli)
    assert [one["member"] for one in both].count("ana") == 2
    assert opens(cli, old) == 200, "the old one runs until EC2 ends it"
    request = ("--member", "ana", "-o", "json", "keep", "hostname -I")
    (told,) = cli.json("--sandbox", "exec", *request)["results"]
    assert new["address"] in told["stdout"]
    urls = cli.json("--sandbox", "urls", "keep", "-o", "json")["environments"]
    assert [one["address"] for one in urls] == [new["address"], first["ben"]["address"]]

    _watch_does_it_alone(cli, spec, second)
    assert cli("sandbox", "fault", "clear").returncode == 0
    with watching(cli, spec) as process:
        receipt = cli.json("--sandbox", "down", "keep", "-o", "json")
        assert not any(receipt["remaining"].values())
        out, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert "somebody has taken it away" in json.loads(out.splitlines()[-1])["detail"]
    again = cli("--sandbox", "watch", str(spec), "--once")
    assert (again.returncode, again.stdout) == (1, "")
    assert "there is no fleet keep in us-east-1" in again.stderr.splitlines()[-1]


def _watch_does_it_alone(cli: Cli, spec: Path, before: dict[str, dict[str, Any]]) -> None:
    with watching(cli, spec) as process:
        interrupt(cli, "ben", "--notice", "10m", "--cause", "price")
        found = [event(process) for _ in range(3)]
        assert [one["event"] for one in found] == ["lost", "replacing", "replaced"]
        assert {one["member"] for one in found} == {"ben"}
        assert found[0]["instance_id"] == before["ben"]["instance_id"]
        assert found[2]["hourly_usd"] > 0
        assert "token" not in json.dumps(found)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "fleet: interrupted"
    ben = next(e for e in environments(cli) if e["instance_id"] == found[2]["instance_id"])
    old = before["ben"]
    assert ben["jupyter_url"] == old["jupyter_url"].replace(old["address"], ben["address"])
    assert opens(cli, ben) == 200
    nobody = outside(cli)("watch", str(spec), "--once")
    assert (nobody.returncode, nobody.stdout) == (2, "")
    assert "in all     at most $" in nobody.stderr, "the price is shown before anybody is asked"
    assert nobody.stderr.splitlines()[-1].endswith("pass --yes")
    calm = cli("--sandbox", "watch", str(spec), "--once")
    assert (calm.returncode, calm.stderr) == (0, "")
    assert calm.stdout.endswith("whole     2 of 2 environments there: nothing to do\n")
