"""SSH against a real server: host keys, scripts with payload, deadlines, broken hosts."""

from __future__ import annotations

import dataclasses
import hashlib
import socket
import time
from collections.abc import Callable, Iterator

import asyncssh
import pytest

from fleet.errors import HostKeyError, UnreachableError
from fleet.ssh import keys
from fleet.ssh.connection import open_host
from fleet.ssh.execute import READ_SCRIPT, execute, framed
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.progress import Step, parse_step
from tests.ssh.servers import ADDRESS, Server, mute_port, ssh_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with ssh_server() as running:
        yield running


def soon(seconds: float = 30) -> float:
    return time.monotonic() + seconds


def test_first_contact_gives_the_key_that_was_vouched_for(server: Server) -> None:
    other = keys.public_line(generate_private_key())
    host = dataclasses.replace(server.host(), vouched=lambda: {other, server.host_key})
    with open_host(host, deadline=soon()) as opened:
        assert opened.host_key == server.host_key


def test_a_man_in_the_middle_is_refused_on_first_contact(server: Server) -> None:
    """A second sshd answers in the host's place: it gets neither a login nor a second try."""
    with ssh_server() as impostor:
        host = dataclasses.replace(server.host(), port=impostor.port)
        start = time.monotonic()
        with (
            pytest.raises(HostKeyError, match="not in the instance's console output"),
            open_host(host, deadline=soon(600)),
        ):
            pass
        assert time.monotonic() - start < 60
        assert impostor.logins == []


def test_a_key_is_waited_for_until_somebody_vouches(server: Server) -> None:
    answers: list[set[str]] = [set(), set(), {server.host_key}]
    waited: list[float] = []
    host = dataclasses.replace(server.host(), vouched=lambda: answers.pop(0))
    with open_host(host, deadline=soon(600), sleep=waited.append) as opened:
        assert opened.host_key == server.host_key
    assert waited == [1, 2]


@pytest.mark.parametrize(
    ("vouched", "message"),
    [(None, "is not recorded"), (set, "has not printed its SSH host keys")],
)
def test_a_key_that_nobody_vouches_for_is_refused(
    server: Server, vouched: Callable[[], set[str]] | None, message: str
) -> None:
    host = dataclasses.replace(server.host(), vouched=vouched)
    with pytest.raises(HostKeyError, match=message), open_host(host, deadline=time.monotonic()):
        pass


OTHER = asyncssh.generate_private_key("ecdsa-sha2-nistp256").export_public_key().decode()


@pytest.mark.parametrize(
    "recorded", [OTHER, "ssh-ed25519 AAAA", "no key at all"], ids=["other", "short", "none"]
)
def test_a_recorded_key_of_another_type_or_none_stops_at_once(
    server: Server, recorded: str
) -> None:
    host = server.host(host_key=" ".join(recorded.split()[:2]))
    with (
        pytest.raises(HostKeyError, match="another SSH host key"),
        open_host(host, deadline=soon(600)),
    ):
        pass


def test_a_recorded_key_is_verified(server: Server) -> None:
    with open_host(server.host(host_key=server.host_key), deadline=soon()) as opened:
        assert execute(opened, "echo hello", deadline=soon()).stdout == "hello\n"


def test_another_host_key_stops_at_once(server: Server) -> None:
    other = keys.public_line(generate_private_key())
    start = time.monotonic()
    with (
        pytest.raises(HostKeyError, match="another SSH host key"),
        open_host(server.host(host_key=other), deadline=soon(60)),
    ):
        pass
    assert time.monotonic() - start < 30


def test_a_recycled_address_raises_no_alarm() -> None:
    """Another instance at the address of one that has gone: its key is its own, and only its own."""
    with ssh_server() as gone:
        with open_host(gone.host(host_key=gone.host_key), deadline=soon()) as opened:
            assert opened.host_key == gone.host_key
        port = gone.port
    with ssh_server(port=port) as other:
        for recorded in (None, other.host_key):
            with open_host(other.host(host_key=recorded), deadline=soon()) as opened:
                assert opened.host_key == other.host_key
        with (
            pytest.raises(HostKeyError, match="another SSH host key than the one recorded"),
            open_host(other.host(host_key=gone.host_key), deadline=soon()),
        ):
            pass


def test_a_refused_key_is_told_as_such(server: Server) -> None:
    stranger = generate_private_key()
    with (
        pytest.raises(UnreachableError, match="refuses the fleet's key"),
        open_host(server.host(private_key=stranger), deadline=time.monotonic()),
    ):
        pass


def test_script_and_payload_travel_on_one_channel(server: Server) -> None:
    payload = bytes(range(256)) * 8192
    script = "sha256sum | cut -c1-8; echo é; echo oops >&2; exit 7"
    lines: list[str] = []
    with open_host(server.host(), deadline=soon()) as opened:
        outcome = execute(
            opened,
            READ_SCRIPT,
            stdin=framed(script, payload),
            deadline=soon(),
            on_line=lines.append,
        )
    assert lines == [hashlib.sha256(payload).hexdigest()[:8], "é"]
    assert (outcome.exit_status, outcome.stderr) == (7, "oops\n")


def test_the_script_is_in_no_argument(server: Server) -> None:
    script = "token=SECRET-WORD; cat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '"
    with open_host(server.host(), deadline=soon()) as opened:
        outcome = execute(opened, READ_SCRIPT, stdin=framed(script), deadline=soon())
    assert "bash" in outcome.stdout
    assert "SECRET-WORD" not in outcome.stdout


def test_an_endless_command_ends_at_its_deadline(server: Server) -> None:
    start = time.monotonic()
    with (
        open_host(server.host(), deadline=soon()) as opened,
        pytest.raises(UnreachableError, match="did not end in time"),
    ):
        execute(opened, "sleep 600", deadline=time.monotonic() + 1)
    assert time.monotonic() - start < 20


def test_a_refused_connection_is_tried_until_the_deadline(server: Server) -> None:
    with socket.create_server((ADDRESS, 0)) as taken:
        port = taken.getsockname()[1]
    naps: list[float] = []
    times = iter(range(100))
    with (
        pytest.raises(UnreachableError, match="refused"),
        open_host(
            dataclasses.replace(server.host(), port=port),
            deadline=5,
            clock=lambda: float(next(times)),
            sleep=naps.append,
        ),
    ):
        pass
    assert len(naps) == 5


@pytest.mark.slow
def test_a_mute_host_is_given_up(server: Server) -> None:
    start = time.monotonic()
    with (
        mute_port() as port,
        pytest.raises(UnreachableError, match="no SSH connection"),
        open_host(dataclasses.replace(server.host(), port=port), deadline=time.monotonic()),
    ):
        pass
    assert time.monotonic() - start < 75


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("@fleet\tjupyter\trunning\tJupyterLab", Step("jupyter", "running", "JupyterLab")),
        ("@fleet\tuv\tlog\ta\tb", Step("uv", "log", "a\tb")),
        ("@fleet\tuv\tdone\t\r", Step("uv", "done", "")),
        ("@fleet\tuv\tsinging\t", None),
        ("hello", None),
        ("", None),
    ],
)
def test_progress_lines(line: str, step: Step | None) -> None:
    assert parse_step(line) == step


def test_a_key_that_is_none_is_told() -> None:
    with pytest.raises(Exception, match="cannot be read"):
        keys.load_private_key("-----BEGIN NONSENSE-----")


def test_fingerprints_are_opensshs() -> None:
    assert keys.fingerprint(keys.public_line(generate_private_key())).startswith("SHA256:")
    assert keys.fingerprint("") == "unknown"
