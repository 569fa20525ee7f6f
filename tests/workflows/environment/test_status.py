"""`fleet status` over a cloud: services and watchers are looked at in one pass, and shown so that it can be read."""

from __future__ import annotations

import dataclasses
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleet.aws.instances import describe_instances
from fleet.cli.environment.status_view import echo_status
from fleet.jupyter.certificates import issue_certificate
from fleet.plan import tags
from fleet.plan.environment.report import FleetReport
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PORT
from fleet.workflows.environment.status import describe_fleet
from fleet.workflows.record.secrets import describe_secrets
from tests.plan.environment.test_heartbeats import LIFETIME
from tests.workflows.conftest import SHORT, World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow

PORTS = (JUPYTER_PORT, TENSORBOARD_PORT)


@contextmanager
def serving(address: str, pem: Path, told: object) -> Iterator[None]:
    """Pretend an environment's two services, and its watchers where `told` is something."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            watchers = self.path == "/fleet/watchers"
            body = json.dumps(told if watchers else {}).encode()
            self.send_response(404 if watchers and told is None else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    servers = [ThreadingHTTPServer((address, port), Handler) for port in PORTS]
    for server in servers:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def looked_at(world: World, folder: Path, told: dict[str, object]) -> FleetReport:
    """Describe a fleet in which each member named answers, and the watchers of each say what is told."""
    launched(world, "[ana, ben, cyd]")
    authority = describe_secrets(world.context, "workshop").authority
    with ExitStack() as servers:
        for one in describe_instances(world.context.aws, fleet="workshop"):
            world.served.ec2.create_tags(
                Resources=[one.instance_id], Tags=[{"Key": tags.BOOTSTRAP, "Value": "done"}]
            )
            if one.member in told:
                pem = folder / f"{one.member}.pem"
                pem.write_text(issue_certificate(authority, (one.address or "",)))
                servers.enter_context(serving(one.address or "", pem, told[one.member]))
        patient = dataclasses.replace(SHORT, look=30)
        return describe_fleet(dataclasses.replace(world.context, deadlines=patient), "workshop")


def test_each_environment_says_how_it_stands(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dead = {**LIFETIME, "age_seconds": 600.0}
    told: dict[str, Any] = {"ana": {"watchers": {"lifetime": LIFETIME}}, "ben": None}
    told["cyd"] = {"watchers": {"lifetime": dead, "spot": None}}
    report = looked_at(world, tmp_path, told)
    assert [one.state for one in report.environments] == ["ready"] * 3
    ana, ben, cyd = (one.as_json()["watchers"] for one in report.environments)
    assert ana["activity"] == "idle 41 of 60 min: kernels quiet, GPU 0 %, no terminal input"  # type: ignore[index]
    assert ben is None
    assert cyd["lifetime"]["alive"] is False  # type: ignore[index]

    echo_status(report, "table", command="fleet --sandbox")
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == [
        "MEMBER", "STATE", "INSTANCE", "TYPE", "MARKET", "ZONE", "ADDRESS", "PRICE", "EXPIRES",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["ana", "ben", "cyd"]
    assert lines[1] == "  idle 41 of 60 min: kernels quiet, GPU 0 %, no terminal input"
    assert lines[3] == "  no word of its watchers"
    assert lines[5] == (
        "  fleet-lifetime has not been heard of for 10 min: `fleet --sandbox logs workshop cyd` "
        "shows why, `fleet --sandbox bootstrap workshop --member cyd` starts it again"
    )
    assert lines[6].startswith("  fleet-spot has not been heard of at all: ")
    assert len(lines) == 7


def test_who_does_not_answer_is_told_why_below(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = looked_at(world, tmp_path, {"ana": {"watchers": {"lifetime": LIFETIME}}})
    assert [one.state for one in report.environments] == ["ready", "unreachable", "unreachable"]
    echo_status(report, "table", command="fleet")
    lines = capsys.readouterr().out.splitlines()
    assert lines[4] == "  Jupyter or TensorBoard does not answer from here"
    echo_status(report, "json", command="fleet")
    shown = json.loads(capsys.readouterr().out)["environments"]
    assert shown[0]["watchers"]["lifetime"]["idle_seconds"] == 2460
    assert shown[1]["watchers"] is None
