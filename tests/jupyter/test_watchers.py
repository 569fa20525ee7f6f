"""The watchers are asked of servers that answer as they must, not at all, or to do harm."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleet.jupyter.http import Server
from fleet.jupyter.watchers import ask_watchers
from fleet.plan.environment.heartbeats import Watchers
from tests.plan.environment.test_heartbeats import LIFETIME

TOKEN = "right"


class Handler(BaseHTTPRequestHandler):
    status = 200
    body = b""
    drips = False

    def do_GET(self) -> None:
        known = self.headers.get("Authorization") == f"token {TOKEN}"
        found = self.path == "/fleet/watchers"
        self.send_response(403 if not known else self.status if found else 404)
        if not self.drips:
            self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)
        with suppress(OSError):  # the other side has hung up
            while self.drips:
                self.wfile.write(b" ")
                time.sleep(0.05)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def handler() -> type[Handler]:
    class Own(Handler):
        pass

    return Own


@pytest.fixture
def server(handler: type[Handler]) -> Iterator[Server]:
    serving = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=serving.serve_forever, args=(0.05,), daemon=True).start()
    yield Server("127.0.0.1", serving.server_port)
    serving.shutdown()
    serving.server_close()


def ask(server: Server, *, token: str = TOKEN, timeout: float = 60) -> Watchers | None:
    return ask_watchers(server, token=token, timeout=timeout)


def test_a_heartbeat_is_read(server: Server, handler: type[Handler]) -> None:
    handler.body = json.dumps({"watchers": {"lifetime": LIFETIME}}).encode()
    found = ask(server)
    assert found is not None
    assert found.lifetime is not None
    assert found.lifetime.alive
    assert found.spot is None
    assert ask(server, token="wrong") is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (404, b"{}"),
        (500, b"{}"),
        (200, b"<html>"),
        (200, b"\xff"),
        (200, b"[" * 500_000),
        (200, b"1" * 10_000),
        (200, b"[]"),
    ],
)
def test_what_is_no_answer_is_no_word(
    server: Server, handler: type[Handler], status: int, body: bytes
) -> None:
    handler.status, handler.body = status, body
    assert ask(server) is None


def test_one_that_drips_is_given_up_in_time(server: Server, handler: type[Handler]) -> None:
    handler.drips = True
    began = time.monotonic()
    assert ask(server, timeout=1) is None
    assert time.monotonic() - began < 10, "each byte alone comes well within its limit"


def test_nobody_there_is_no_word() -> None:
    assert ask(Server("127.0.0.1", 1), timeout=5) is None
