"""Roads to hosts without public addresses: through a real bastion, and over a command; and ports forwarded."""

from __future__ import annotations

import dataclasses
import http.client
import http.server
import socket
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet.errors import FleetError, HostKeyError, UnreachableError
from fleet.ssh import keys
from fleet.ssh.connection import Host, open_host
from fleet.ssh.execute import execute
from fleet.ssh.forward import forwarded
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.proxies import Bastion, Command, require_programs
from tests.ssh.bastions import BastionHost, bastion_host
from tests.ssh.servers import ADDRESS, Server, ssh_server

# A stand-in for `aws ssm start-session`: its input and output are a connection to the host's sshd.
PIPE = """
import os, socket, sys, threading
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def up():
    while data := os.read(0, 65536):
        sock.sendall(data)
    sock.close()
threading.Thread(target=up, daemon=True).start()
while data := sock.recv(65536):
    os.write(1, data)
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with ssh_server() as running:
        yield running


@pytest.fixture(scope="module")
def bastion() -> Iterator[BastionHost]:
    with bastion_host() as running:
        yield running


@pytest.fixture(autouse=True)
def no_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def behind(server: Server, proxy: Bastion | Command) -> Host:
    return dataclasses.replace(server.host(host_key=server.host_key), proxy=proxy)


def test_through_a_bastion(
    server: Server, bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(bastion.home(tmp_path)))
    bastion.logins.clear()
    with open_host(behind(server, Bastion(bastion.target)), deadline=soon()) as opened:
        assert execute(opened, "echo hello", deadline=soon()).stdout == "hello\n"
    assert set(bastion.logins) == {"jump"}


def test_many_hosts_share_one_connection_to_the_bastion(
    server: Server, bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(bastion.home(tmp_path)))
    bastion.logins.clear()
    proxy = Bastion(bastion.target)
    proxy.check()
    assert len(bastion.logins) == 1, "what was checked is left again"
    together = threading.Barrier(8, timeout=60)

    def ask(number: int) -> str:
        with open_host(behind(server, proxy), deadline=soon()) as opened:
            together.wait()
            return execute(opened, f"echo {number}", deadline=soon()).stdout

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [f"{n}\n" for n in range(8)]
    assert len(bastion.logins) == 2


def test_an_unknown_bastion_is_refused_at_once(
    server: Server, bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(bastion.home(tmp_path, known="")))
    with (
        pytest.raises(HostKeyError, match=r"not in your known_hosts \(SHA256:.*compare"),
        open_host(behind(server, Bastion(bastion.target)), deadline=soon(600)),
    ):
        pass


def test_without_a_known_hosts_file_it_is_refused_too(
    server: Server, bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = bastion.home(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    (home / ".ssh/known_hosts").unlink()
    with (
        pytest.raises(HostKeyError, match="not in your known_hosts"),
        open_host(behind(server, Bastion(bastion.target)), deadline=soon(600)),
    ):
        pass
    assert not (home / ".ssh/known_hosts").exists(), "nothing is trusted on first use"


def test_a_bastion_with_another_key_is_refused_at_once(
    bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = keys.public_line(generate_private_key())
    monkeypatch.setenv("HOME", str(bastion.home(tmp_path, known=other)))
    with pytest.raises(HostKeyError, match="shows another host key than your known_hosts"):
        Bastion(bastion.target).check()


@pytest.mark.parametrize("key", [True, False], ids=["another key", "no key"])
def test_a_bastion_that_does_not_know_us_is_told_at_once(
    server: Server,
    bastion: BastionHost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: bool,
) -> None:
    home = bastion.home(tmp_path)
    monkeypatch.setenv("HOME", str(home))
    if key:
        (home / ".ssh/id_ed25519").write_text(generate_private_key())
    else:
        (home / ".ssh/id_ed25519").unlink()
    with (
        pytest.raises(UnreachableError, match="does not accept your keys: check `ssh jump@"),
        open_host(behind(server, Bastion(bastion.target)), deadline=soon(600)),
    ):
        pass


def test_a_host_that_the_bastion_does_not_reach(
    server: Server, bastion: BastionHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(bastion.home(tmp_path)))
    host = dataclasses.replace(behind(server, Bastion(bastion.target)), port=1)
    with (
        pytest.raises(UnreachableError, match=f"127.0.0.1:1 through {bastion.target}: "),
        open_host(host, deadline=time.monotonic()),
    ):
        pass


def test_no_bastion_there() -> None:
    with pytest.raises(
        UnreachableError, match=r"no SSH connection to the bastion me@127\.0\.0\.1:1"
    ):
        Bastion(f"me@{ADDRESS}:1").check()


def test_over_a_command(server: Server) -> None:
    proxy = Command((sys.executable, "-c", PIPE, str(server.port)), "a pipe")
    with open_host(behind(server, proxy), deadline=soon()) as opened:
        assert execute(opened, "echo hello", deadline=soon()).stdout == "hello\n"
    with open_host(behind(server, proxy), deadline=soon()) as opened:
        assert opened.host_key == server.host_key


def test_what_a_command_says_is_the_reason(server: Server) -> None:
    words = "import sys; sys.exit('TargetNotConnected: i-1 is not connected.')"
    proxy = Command((sys.executable, "-c", words), "Systems Manager")
    with (
        pytest.raises(UnreachableError, match="over Systems Manager: TargetNotConnected: i-1"),
        open_host(behind(server, proxy), deadline=time.monotonic()),
    ):
        pass


def test_a_command_that_is_not_there_is_told() -> None:
    with pytest.raises(
        FleetError, match="this needs it, and no-such-plugin is not on this machine"
    ):
        require_programs(["sh", "no-such-plugin"], why="this needs it", remedy="install it")


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * 300_000 if self.path == "/large" else b"hello")

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - its name
        pass


@contextmanager
def web() -> Iterator[int]:
    with http.server.ThreadingHTTPServer((ADDRESS, 0), _Hello) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield running.server_port
        running.shutdown()
        thread.join(10)


def get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
    connection.request("GET", path)
    return connection.getresponse().read()


def test_ports_are_forwarded_over_the_open_connection(bastion: BastionHost) -> None:
    key = keys.load_private_key(bastion.private_key)
    host = Host(ADDRESS, bastion.port, "jump", key, bastion.host_key)
    with (
        web() as first,
        web() as second,
        open_host(host, deadline=soon()) as opened,
        forwarded(opened, address=ADDRESS, ports=(first, second, 1)) as local,
    ):
        assert get(local[0], "/") == b"hello"
        with ThreadPoolExecutor(4) as pool:
            sizes = [len(body) for body in pool.map(lambda _: get(local[1], "/large"), range(8))]
        assert sizes == [300_000] * 8
        with pytest.raises((OSError, http.client.HTTPException)):
            get(local[2], "/")
    with pytest.raises((OSError, http.client.HTTPException)):
        get(local[0], "/")


def test_a_forwarded_port_keeps_its_number_where_it_is_free(bastion: BastionHost) -> None:
    key = keys.load_private_key(bastion.private_key)
    host = Host(ADDRESS, bastion.port, "jump", key, bastion.host_key)
    with socket.create_server((ADDRESS, 0)) as taken, socket.create_server((ADDRESS, 0)) as other:
        busy, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        with (
            open_host(host, deadline=soon()) as opened,
            forwarded(opened, address=ADDRESS, ports=(busy, free), same=True) as local,
        ):
            assert local[0] != busy
            assert local[1] == free
