"""A fleet that is used for longer: it is extended, stopped, started, renewed and rotated, by the real command."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet.jupyter.certificates import issue_certificate
from fleet.jupyter.http import Server, request
from tests.acceptance.aws import client, stop
from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

NAME = "used"
AUTHORITY = f"/fleet/{NAME}/certificate-authority"


@dataclass(frozen=True)
class Used:
    """A fleet of `ana` and `ben`."""

    cli: Cli
    spec: Path

    def up(self) -> list[dict[str, Any]]:
        """Bring it up; all of it must be ready."""
        told = self.cli.json("--sandbox", "up", str(self.spec), "-o", "json")["environments"]
        assert [(each["member"], each["state"]) for each in told] == [
            ("ana", "ready"),
            ("ben", "ready"),
        ]
        return list(told)

    def status(self) -> dict[str, dict[str, Any]]:
        told = self.cli.json("--sandbox", "status", NAME, "-o", "json")
        return {each["member"]: each for each in told["environments"]}

    def host(self, environment: dict[str, Any]) -> Path:
        return self.cli.folder / "sandbox" / "hosts" / str(environment["instance_id"])

    def ends_at(self, environment: dict[str, Any]) -> str:
        """When a machine's watcher ends it."""
        return (self.host(environment) / "root/etc/fleet/expires-at").read_text().strip()

    def certificate(self, environment: dict[str, Any]) -> Path:
        return self.host(environment) / "home/ubuntu/.fleet/server.pem"

    def trusted(self) -> str:
        return self.cli("--sandbox", "ca", NAME).stdout


@pytest.fixture(scope="module")
def used(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Used:
    fleet = Used(cli, write_spec(tmp_path_factory.mktemp("used"), NAME, idle="1h"))
    fleet.up()
    return fleet


def test_a_member_runs_longer(used: Used) -> None:
    before = used.status()
    end = before["ana"]["expires_at"]
    for each in before.values():
        assert each["watchers"]["lifetime"]["alive"] is True
        assert each["watchers"]["lifetime"]["idle_limit_seconds"] == 3600
        assert each["watchers"]["spot"] is None
        assert used.ends_at(each) == end
    ana = used.cli("--sandbox", "extend", NAME, "1h", "--member", "ana")
    assert ana.returncode == 0, ana.stderr
    assert f"ana  {end} -> {later(end, 1)}  $1.01/h: $1.01" in ana.stderr
    assert [used.status()[m]["expires_at"] for m in ("ana", "ben")] == [later(end, 1), end]


def test_one_who_is_stopped_keeps_its_end_and_starts_with_a_certificate_that_serves(
    used: Used,
) -> None:
    before = used.status()
    ben = before["ben"]
    file = used.certificate(ben)
    first = file.read_text()
    used.up()
    assert file.read_text() == first, "it serves: a second up leaves it alone"
    stop(used.cli, ben["instance_id"])
    until = later(max(each["expires_at"] for each in before.values()), 1)
    _only_ana_runs_longer(used, ben, until=until)
    _only_ana_is_handed_out(used)

    # Stopped and started, an instance has another public address: its certificate names the one before.
    ssm = client(used.cli, "ssm")
    authority = ssm.get_parameter(Name=AUTHORITY, WithDecryption=True)["Parameter"]["Value"]
    file.write_text(issue_certificate(authority, ("203.0.113.9", "localhost")))
    started = used.up()[1]
    assert [started[key] for key in ("address", "instance_id")] == [
        ben[key] for key in ("address", "instance_id")
    ]
    trusted = used.trusted()
    for port in (8888, 6006):
        names = shown(started["address"], port, trusted)["subjectAltName"]
        assert ("IP Address", started["address"]) in names
        assert ("IP Address", "203.0.113.9") not in names

    # It still has the end that its tag says; then it is extended too, and nobody twice.
    assert used.status()["ben"]["expires_at"] == used.ends_at(ben) == ben["expires_at"]
    again = used.cli("--sandbox", "extend", NAME, "--until", until)
    assert again.returncode == 0, again.stderr
    assert "(that long already: ana)" in again.stderr
    for each in used.status().values():
        assert each["expires_at"] == used.ends_at(each) == until


def _only_ana_runs_longer(used: Used, ben: dict[str, Any], *, until: str) -> None:
    partly = used.cli("--sandbox", "extend", NAME, "--until", until, "-o", "json")
    assert partly.returncode == 3, partly.stderr
    one, other = json.loads(partly.stdout)["environments"]
    assert (one["extended"], one["expires_at"], one["usd"]) == (True, until, 1.006)
    assert (other["extended"], other["expires_at"]) == (False, ben["expires_at"])
    assert "ben is stopped" in other["reason"]
    assert partly.stderr.splitlines()[-1] == (
        f"not extended: ben; `fleet --sandbox extend {NAME} --until {until} --member ben` tries again"
    )


def _only_ana_is_handed_out(used: Used) -> None:
    done = used.cli("--sandbox", "ssh-config", NAME)
    assert done.returncode == 3
    assert "left out: ben: its instance is stop" in done.stderr
    config = Path(done.stdout.strip()).read_text()
    assert f"Host {NAME}-ana" in config
    assert f"Host {NAME}-ben" not in config
    pages = used.spec.parent / "pages"
    written = used.cli("--sandbox", "handout", NAME, "--out", str(pages))
    assert written.returncode == 3
    assert "1 of 2 ready" in written.stderr
    assert "Not ready yet" in (pages / f"{NAME}-ben.html").read_text("utf-8")


def test_a_watcher_that_died_is_told_and_starts_again(used: Used) -> None:
    ana = used.status()["ana"]
    line = "sudo systemctl stop fleet-lifetime && sudo rm /run/fleet/lifetime.json"
    used.cli.json("--sandbox", "exec", "--member", "ana", "-o", "json", NAME, "--", line)
    told = used.cli("--sandbox", "status", NAME).stdout
    assert (
        f"  fleet-lifetime has not been heard of at all: `fleet --sandbox logs {NAME} ana`" in told
    )
    mended = used.cli("--sandbox", "bootstrap", NAME, "--member", "ana")
    assert mended.returncode == 0, mended.stderr
    assert used.status()["ana"]["watchers"]["lifetime"]["alive"] is True
    assert used.ends_at(ana) == ana["expires_at"]


def test_without_its_authority_a_fleet_gets_another_one(used: Used) -> None:
    """And every environment a certificate of that."""
    trusted = used.trusted()
    client(used.cli, "ssm").delete_parameters(Names=[AUTHORITY])
    environments = used.up()
    another = used.trusted()
    assert another != trusted
    for address in (each["address"] for each in environments):
        for port in (8888, 6006):
            assert shown(address, port, another)
            with pytest.raises(ssl.SSLCertVerificationError):
                shown(address, port, trusted)


def test_a_rotation_is_finished_and_stays(used: Used) -> None:
    """Killed in the middle it is finished by the next run, and no old token comes back."""
    before = used.up()
    _kill_in_the_middle(used)
    again = used.cli("--sandbox", "rotate", NAME, "-o", "json")
    assert again.returncode == 0, again.stderr
    assert "one that broke off is finished" in again.stderr
    assert "a new link is needed by ana, ben" in again.stderr
    after = json.loads(again.stdout)["environments"]
    trusted = used.trusted()
    for old, new in zip(before, after, strict=True):
        assert token_of(old) != token_of(new)
        assert statuses(new, token_of(old), trusted) == (403, 302)
        assert statuses(new, token_of(new), trusted) == (200, 200)
    assert [token_of(e) for e in used.status().values()] == [token_of(e) for e in after]

    # One member alone; the other's link stays.
    (ben,) = used.cli.json("--sandbox", "rotate", NAME, "--member", "ben", "-o", "json")[
        "environments"
    ]
    assert statuses(after[1], token_of(after[1]), trusted) == (403, 302)
    assert statuses(ben, token_of(ben), trusted) == (200, 200)
    assert token_of(used.status()["ana"]) == token_of(after[0])

    # An instance that stands in for a lost one begins with the token of now.
    used.cli("--sandbox", "down", NAME, "--member", "ben", "--yes")
    replaced = used.up()[1]
    assert replaced["instance_id"] != ben["instance_id"]
    assert token_of(replaced) == token_of(ben)


def test_nothing_of_it_is_left(used: Used) -> None:
    """The last one here."""
    receipt = used.cli.json("--sandbox", "down", NAME, "-o", "json")
    assert not any(receipt["remaining"].values())


def test_bad_input_is_one_line(cli: Cli) -> None:
    for arguments, said in (
        (("extend", "nobody"), "how much longer is not clear"),
        (("extend", "nobody", "2"), "DURATION '2' has no unit: write 2h for hours"),
        (
            ("extend", "nobody", "--until", "18:00"),
            "'18:00' is not a time: write it like 2026-11-21T18:00Z",
        ),
        (("extend", "nobody", "2h"), "there is no fleet nobody"),
        (("rotate", "nobody"), "there is no fleet nobody"),
    ):
        done = cli("--sandbox", *arguments)
        assert done.returncode in {1, 2}
        assert said in done.stderr.splitlines()[-1]


def later(end: str, hours: int) -> str:
    moved = datetime.fromisoformat(end) + timedelta(hours=hours)
    return moved.strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(address: str, port: int, authority: str) -> dict[str, Any]:
    """The certificate of a port, verified for its address under an authority."""
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection((address, port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=address) as secured,
    ):
        return dict(secured.getpeercert() or {})


def statuses(environment: dict[str, Any], token: str, authority: str) -> tuple[int, int]:
    """What Jupyter and TensorBoard answer to a token."""
    address = environment["address"]
    jupyter, tensorboard = (Server(address, port, authority) for port in (8888, 6006))
    return (
        request(jupyter, "GET", "/api/kernels", token=token, timeout=60).status,
        request(tensorboard, "GET", "/tensorboard/", token=token, timeout=60).status,
    )


def token_of(environment: dict[str, Any]) -> str:
    return str(environment["jupyter_url"].split("token=")[1])


def _kill_in_the_middle(used: Used) -> None:
    """Kill a rotation when the first host is being told: no earlier, and before the second is done."""
    running = subprocess.Popen(
        [FLEET, "--sandbox", "rotate", NAME],
        env=used.cli.environment | {"PYTHONUNBUFFERED": "1"},
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
    broken_off = used.status()
    assert {e["state"] for e in broken_off.values()} == {"unreachable"}
    assert "its rotation broke off" in broken_off["ana"]["reason"]
