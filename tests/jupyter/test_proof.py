"""The proof against servers that lie: each broken promise is found."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fleet.errors import ProofError
from fleet.jupyter.certificates import issue_certificate, make_authority
from fleet.jupyter.http import Server, request
from fleet.jupyter.proof import Endpoint, answers, prove, prove_token
from fleet.plan.record.certificates import Lifetime
from fleet.plan.record.pem import certificate_part

TOKEN = "right"
ADDRESS = "127.0.0.1"
TODAY = datetime.now(UTC).replace(microsecond=0)
LIFETIME = Lifetime(TODAY - timedelta(days=1), TODAY + timedelta(days=7))


@dataclass
class Behaviour:
    """How a pretended environment answers."""

    without_token: int = 403
    with_token: int = 200
    kernels: int = 500
    tensorboard: int = 200
    tensorboard_without: int = 302
    login: str = "/login?next=%2Ftensorboard%2F"
    kernels_asked: int = 0


@contextmanager
def pretend(
    behaviour: Behaviour, *, certificate: Path | None = None, authority: str | None = None
) -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"token {TOKEN}"
            if self.server is tensorboard:
                self._answer(behaviour.tensorboard if known else behaviour.tensorboard_without)
            else:
                self._answer(behaviour.with_token if known else behaviour.without_token)

        def do_POST(self) -> None:
            behaviour.kernels_asked += 1
            self._answer(behaviour.kernels, b'{"id": "mute"}')

        def _answer(self, status: int, body: bytes = b"{}") -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("Location", behaviour.login)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: object) -> None:
            pass

    jupyter = ThreadingHTTPServer((ADDRESS, 0), Handler)
    tensorboard = ThreadingHTTPServer((ADDRESS, 0), Handler)
    for server in (jupyter, tensorboard):
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield Endpoint(
            Server(ADDRESS, jupyter.server_port, authority),
            Server(ADDRESS, tensorboard.server_port, authority),
        )
    finally:
        for server in (jupyter, tensorboard):
            server.shutdown()
            server.server_close()


def certified(folder: Path, authority: str, *names: str) -> Path:
    file = folder / "server.pem"
    file.write_text(issue_certificate(authority, names))
    return file


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(without_token=200), "Jupyter answers HTTP 200 without a token: nobody gets"),
        (Behaviour(with_token=403), "Jupyter does not answer: HTTP 403"),
        (Behaviour(kernels=500), "starts no kernel"),
    ],
)
def test_broken_promises_are_found(behaviour: Behaviour, message: str) -> None:
    with pretend(behaviour) as endpoint, pytest.raises(ProofError, match=message):
        prove(endpoint, token=TOKEN, gpus=1, now=TODAY, deadline=time.monotonic() + 1)


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        (Behaviour(tensorboard_without=200), "TensorBoard answers HTTP 200 without a token"),
        (Behaviour(login="https://elsewhere/login"), "TensorBoard answers HTTP 302"),
        (Behaviour(tensorboard=404), "TensorBoard does not answer: HTTP 404"),
    ],
)
def test_tensorboard_is_behind_the_token(behaviour: Behaviour, message: str) -> None:
    with pretend(behaviour) as endpoint, pytest.raises(ProofError, match=message):
        prove(endpoint, token=TOKEN, gpus=1, now=TODAY, deadline=time.monotonic() + 1)


def test_a_kernel_that_stays_mute_gives_way_to_one_other() -> None:
    behaviour = Behaviour(kernels=201)
    with pretend(behaviour) as endpoint, pytest.raises(ProofError, match="no kernel answers"):
        prove(endpoint, token=TOKEN, gpus=1, now=TODAY, deadline=time.monotonic() + 30)
    assert behaviour.kernels_asked == 2


def test_nobody_there() -> None:
    with pretend(Behaviour()) as endpoint:
        pass
    with pytest.raises(ProofError, match="Jupyter does not answer"):
        prove(endpoint, token=TOKEN, gpus=1, now=TODAY, deadline=time.monotonic())
    assert not answers(endpoint, token=TOKEN, timeout=5)


def test_a_look_wants_both_services() -> None:
    with pretend(Behaviour()) as endpoint:
        assert answers(endpoint, token=TOKEN, timeout=5)
        assert not answers(endpoint, token="wrong", timeout=5)
    with pretend(Behaviour(tensorboard=500)) as endpoint:
        assert not answers(endpoint, token=TOKEN, timeout=5)


def test_the_certificate_must_be_the_fleets_own_and_carry_the_address(tmp_path: Path) -> None:
    ours, others = make_authority("ours", LIFETIME), make_authority("ours", LIFETIME)
    trusted = certificate_part(ours)
    good = certified(tmp_path, ours, ADDRESS)
    with pretend(Behaviour(), certificate=good, authority=trusted) as endpoint:
        assert answers(endpoint, token=TOKEN, timeout=5)
        seen = request(endpoint.jupyter, "GET", "/api/kernels", token=TOKEN, timeout=5)
        assert seen.certified_until == LIFETIME.end
    for authority, name in ((others, ADDRESS), (ours, "127.0.0.2")):
        bad = certified(tmp_path, authority, name)
        with pretend(Behaviour(), certificate=bad, authority=trusted) as endpoint:
            assert not answers(endpoint, token=TOKEN, timeout=5)
            with pytest.raises(ProofError, match="certificate verify failed"):
                prove(endpoint, token=TOKEN, gpus=1, now=TODAY, deadline=time.monotonic())


def test_a_server_without_tls_is_not_spoken_to() -> None:
    trusted = certificate_part(make_authority("ours", LIFETIME))
    with pretend(Behaviour(), authority=trusted) as endpoint:
        assert not answers(endpoint, token=TOKEN, timeout=5)


def test_a_token_that_was_changed_must_be_refused() -> None:
    soon = time.monotonic() + 1
    with pretend(Behaviour()) as endpoint:
        prove_token(endpoint, token=TOKEN, old="old", deadline=soon)
        with pytest.raises(ProofError, match="answers HTTP 200 with an old token"):
            prove_token(endpoint, token=TOKEN, old=TOKEN, deadline=soon)
        with pytest.raises(ProofError, match="Jupyter does not answer: HTTP 403"):
            prove_token(endpoint, token="new", old=TOKEN, deadline=time.monotonic())
