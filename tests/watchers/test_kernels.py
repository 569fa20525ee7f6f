"""Kernels, as Jupyter tells of them; and whom the token is shown to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.jupyter.certificates import issue_certificate, make_authority
from fleet.plan.record.certificates import Lifetime
from kernels import Kernels
from rules import Finding

from .places import TOKEN, jupyter, make_person, serve

QUIET = Finding("quiet", "kernels quiet")


def _pem() -> str:
    now = datetime.now(UTC)
    lifetime = Lifetime(now - timedelta(hours=1), now + timedelta(days=1))
    return issue_certificate(make_authority("kernels", lifetime), ("127.0.0.1",))


def test_states_and_activity(tmp_path: Path) -> None:
    with serve(jupyter()) as answers:
        kernels = Kernels(make_person(tmp_path, answers.port))
        assert kernels.look() == QUIET
        answers.kernel("busy")
        assert kernels.look() == Finding("busy", "a kernel is busy")
        assert kernels.look() == Finding("busy", "a kernel is busy"), "however silent"
        answers.kernel("idle", at="2026-11-21T10:00:09Z")
        assert kernels.look() == Finding("busy", "a kernel was used")
        assert kernels.look() == QUIET
        answers.by_path["GET /api/kernels"] = (200, "[]")
        assert kernels.look() == Finding("quiet", "no kernels")
        answers.kernel("starting")
        assert kernels.look() == Finding("busy", "a kernel was used"), "a new one"


@pytest.mark.parametrize("ip", ["", "*", "0.0.0.0"])
def test_a_server_on_every_address(tmp_path: Path, ip: str) -> None:
    with serve(jupyter()) as answers:
        assert Kernels(make_person(tmp_path, answers.port, ip=ip)).look() == QUIET


def test_another_base_url(tmp_path: Path) -> None:
    with serve(jupyter()) as answers:
        answers.by_path = {"GET /ana/api/kernels": (200, "[]")}
        found = Kernels(make_person(tmp_path, answers.port, base_url="/ana/")).look()
        assert found.reason == "no kernels"


def test_tls_trusts_the_certificate_in_server_pem_alone(tmp_path: Path) -> None:
    person = make_person(tmp_path)
    pem = person.files / "server.pem"
    pem.write_text(_pem())
    with serve(jupyter(), pem) as answers:
        server = {"ip": "127.0.0.1", "port": answers.port, "certfile": str(pem)}
        (person.files / "jupyter_server_config.json").write_text(json.dumps({"ServerApp": server}))
        assert Kernels(person).look() == QUIET
        asked = len(answers.asked)
        pem.write_text(_pem())
        with pytest.raises(ValueError, match="another certificate"):
            Kernels(person).look()
        assert len(answers.asked) == asked, "the token was shown to nobody else"


def test_a_wrong_token_is_told(tmp_path: Path) -> None:
    with serve(jupyter()) as answers:
        person = make_person(tmp_path, answers.port)
        (person.files / "token").write_text("another")
        with pytest.raises(ValueError, match="answers 401"):
            Kernels(person).look()


def test_torn_files_fail_and_show_no_token(tmp_path: Path) -> None:
    person = make_person(tmp_path)
    (person.files / "token").write_text(f"{TOKEN}\n{TOKEN}")
    with pytest.raises(ValueError, match="torn") as failure:
        Kernels(person).look()
    assert TOKEN not in str(failure.value)
    (person.files / "token").write_text(TOKEN)
    (person.files / "jupyter_server_config.json").write_text('{"Serv')
    with pytest.raises(ValueError, match="Unterminated"):
        Kernels(person).look()
    (person.files / "token").unlink()
    with pytest.raises(FileNotFoundError):
        Kernels(person).look()


def test_what_the_person_put_in_place_of_the_token_is_not_read(tmp_path: Path) -> None:
    person = make_person(tmp_path)
    (person.files / "token").unlink()
    (person.files / "token").symlink_to("/etc/shadow")
    with pytest.raises(OSError, match="symbolic links"):
        Kernels(person).look()


def test_nobody_listens(tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefusedError):
        Kernels(make_person(tmp_path, port=1)).look()
