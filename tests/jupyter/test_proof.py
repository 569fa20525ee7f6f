"""The proof against servers that lie: each broken promise is found."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from fleet.errors import ProofError
from fleet.jupyter.proof import Endpoint, answers, prove

TOKEN = "right"


@dataclass
class Behaviour:
    """How a pretended environment answers."""

    without_token: int = 403
    with_token: int = 200
    kernels: int = 500
    tensorboard: int = 200


@contextmanager
def pretend(behaviour: Behaviour) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.server is tensorboard:
                self._answer(behaviour.tensorboard)
            elif self.headers.get("Authorization") == f"token {TOKEN}":
                self._answer(behaviour.with_token)
            else:
                self._answer(behaviour.without_token)

        def do_POST(self) -> None:
            self._answer(behaviour.kernels)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *arguments: object) -> None:
            pass

    jupyter = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tensorboard = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    for server in (jupyter, tensorboard):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield Endpoint("127.0.0.1", jupyter.server_port, tensorboard.server_port)
    finally:
        for server in (jupyter, tensorboard):
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(without_token=200), "answers HTTP 200 without a token"),
        (Behaviour(with_token=403), "Jupyter does not answer: HTTP 403"),
        (Behaviour(kernels=500), "starts no kernel"),
    ],
)
def test_broken_promises_are_found(behaviour: Behaviour, message: str) -> None:
    with pretend(behaviour) as endpoint, pytest.raises(ProofError, match=message):
        prove(endpoint, token=TOKEN, gpus=1, deadline=time.monotonic() + 1)


def test_nobody_there() -> None:
    with pretend(Behaviour()) as endpoint:
        pass
    with pytest.raises(ProofError, match="Jupyter does not answer"):
        prove(endpoint, token=TOKEN, gpus=1, deadline=time.monotonic())
    assert not answers(endpoint, token=TOKEN, timeout=5)


def test_a_look_wants_both_services() -> None:
    with pretend(Behaviour()) as endpoint:
        assert answers(endpoint, token=TOKEN, timeout=5)
        assert not answers(endpoint, token="wrong", timeout=5)
    with pretend(Behaviour(tensorboard=500)) as endpoint:
        assert not answers(endpoint, token=TOKEN, timeout=5)
