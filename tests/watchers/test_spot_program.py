"""fleet-spot as a program: a notice of EC2's warns, runs the hook, copies, and is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clock import Clock, to_stamp
from settings import from_environment
from spot import Spot

from .places import Answers, make_person, put_program, serve
from .programs import Program
from .ptys import open_pty

pytestmark = pytest.mark.slow

PREFIX = "GET /latest/meta-data/"
QUIET = {"state": "quiet", "action": None, "time": None, "hook": None, "sync": None}


@pytest.fixture
def service() -> Iterator[Answers]:
    answers = Answers(by_path={"PUT /latest/api/token": (200, "first")})
    answers.allow = lambda headers: headers.get("x-aws-ec2-metadata-token") == "first"
    with serve(answers):
        yield answers


@pytest.fixture
def program(tmp_path: Path, service: Answers) -> Program:
    folders = [{"from": "~/work", "to": "s3://bucket/ana"}]
    endpoint = f"http://127.0.0.1:{service.port}/"
    settings = {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint,
        "FLEET_SYNC": json.dumps(folders),
    }
    made = Program("spot", make_person(tmp_path), tmp_path, settings)
    hook = f"echo hook >>{tmp_path}/did; until [ -e {tmp_path}/go ]; do sleep 0.1; done"
    put_program(made.person.home, "on-interruption", hook)
    put_program(tmp_path / "programs", "aws", f'echo "$@" >>{tmp_path}/did')
    return made


def _notice(service: Answers, seconds: float = 120) -> str:
    when = str(to_stamp(time.time() + seconds))
    text = json.dumps({"action": "terminate", "time": when})
    service.by_path[f"{PREFIX}spot/instance-action"] = (200, text)
    return when


def test_a_notice_is_acted_on_once(program: Program, service: Answers) -> None:
    with program.running(), open_pty(program.person.home) as shell:
        told = program.soon(lambda told: True)
        assert {key: told[key] for key in QUIET} == QUIET
        assert (told["tick_seconds"], told["reasons"]) == (5, ["no notice"])
        assert told["warning"] is None
        when = _notice(service)
        told = program.soon(lambda told: told["state"] == "interruption")
        assert (told["action"], told["time"]) == ("terminate", when)
        assert (told["hook"], told["sync"]) == ("running", None)
        assert told["warning"].startswith("EC2 takes this Spot instance back in 1")
        shell.wait_for("*** fleet: EC2 takes this Spot instance back in ")
        service.by_path.clear()  # not even a token: what was announced stays
        (program.folder / "go").touch()
        told = program.soon(lambda told: told["sync"] == "done")
        assert (told["state"], told["hook"]) == ("interruption", "done")
    did = (program.folder / "did").read_text()
    copied = f"s3 sync --only-show-errors {program.person.home}/work s3://bucket/ana\n"
    assert did == f"hook\n{copied}"
    service.by_path["PUT /latest/api/token"] = (200, "first")
    _again(program, service, when)
    assert (program.folder / "did").read_text() == did


def _again(program: Program, service: Answers, when: str) -> None:
    """Started anew, it knows what it did."""
    notice = json.dumps({"action": "terminate", "time": when})
    service.by_path[f"{PREFIX}spot/instance-action"] = (200, notice)
    before = program.heartbeat["boot_seconds"]
    with program.running():
        told = program.soon(lambda told: told["boot_seconds"] > before)
        assert (told["state"], told["hook"], told["sync"]) == ("interruption", "done", "done")


def test_a_hook_leaves_time_for_the_copies(program: Program, service: Answers) -> None:
    _notice(service, seconds=6)
    with program.running():
        told = program.soon(lambda told: told["sync"] == "done")
        assert told["hook"] == "timed out"


def _watcher(program: Program) -> Spot:
    return Spot(from_environment(program.environment), Clock())


def test_a_rebalance_recommendation_is_told(program: Program, service: Answers) -> None:
    text = json.dumps({"noticeTime": "2026-11-21T10:00:00Z"})
    service.by_path[f"{PREFIX}events/recommendations/rebalance"] = (200, text)
    del program.settings["FLEET_SYNC"]
    watcher = _watcher(program)
    with open_pty(program.person.home) as shell:
        watcher.tick()
        told = program.heartbeat
        assert (told["state"], told["hook"]) == ("rebalance", None)
        assert told["warning"] == "EC2 may soon take this Spot instance back: save your work"
        shell.wait_for("*** fleet: EC2 may soon take this Spot instance back: save your work ***")
        (program.person.home / "on-interruption").unlink()
        _notice(service)
        watcher.tick()
        assert program.heartbeat["state"] == "interruption"


@pytest.mark.parametrize("text", ['{"action"', "[]", "terminate"])
def test_a_notice_that_is_torn_is_unknown_and_looked_at_again(
    program: Program, service: Answers, text: str
) -> None:
    service.by_path[f"{PREFIX}spot/instance-action"] = (200, text)
    watcher = _watcher(program)
    watcher.tick()
    assert program.heartbeat["state"] == "unknown"
    assert program.heartbeat["reasons"][0].startswith("instance metadata: ")
    del service.by_path[f"{PREFIX}spot/instance-action"]
    watcher.tick()
    assert program.heartbeat["state"] == "quiet"


def test_metadata_that_does_not_answer_is_unknown(program: Program, service: Answers) -> None:
    service.by_path.clear()
    watcher = _watcher(program)
    watcher.tick()
    assert program.heartbeat["state"] == "unknown"
    assert program.heartbeat["reasons"] == ["instance metadata: gives no token, but 404"]
    service.by_path["PUT /latest/api/token"] = (200, "first")
    watcher.tick()
    assert program.heartbeat["state"] == "quiet"
    assert not (program.folder / "did").exists()


def test_a_notice_without_a_time_is_two_minutes(program: Program, service: Answers) -> None:
    service.by_path[f"{PREFIX}spot/instance-action"] = (200, '{"action": "stop"}')
    (program.folder / "go").touch()
    with program.running():
        told = program.soon(lambda told: told["sync"] == "done")
        assert (told["action"], told["hook"], told["time"]) == ("stop", "done", None)
