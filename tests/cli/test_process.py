"""What only a process shows: how it ends, a reader that has gone, Ctrl-C, terminals, and what a start imports."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command import FLEET, Cli, aws_at

pytestmark = pytest.mark.slow

SECONDS = 60
RED = "\x1b[31m"
HEAVY = {"boto3", "botocore", "cryptography", "jinja2", "paramiko", "pydantic", "rich", "yaml"}


@pytest.fixture
def command(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [(("--version",), 0, 0), (("ls",), 1, 1), (("nosuch",), 2, 1)],
)
def test_a_process_ends_with_the_exit_code(
    command: Cli, arguments: tuple[str, ...], code: int, lines: int
) -> None:
    done = command(*arguments)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == lines
    assert done.stdout.startswith("fleet ") == (code == 0)


def test_as_a_module(command: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fleet", "nosuch"],
        env=command.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "fleet: No such command 'nosuch': see `fleet --help`\n",
    )


def test_to_a_reader_that_has_gone_nothing_is_said(command: Cli) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        done = subprocess.run(
            [FLEET, "recipe", "schema"],
            env=command.environment,
            stdout=stdout,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    assert done.stderr == b""


def test_ctrl_c_while_aws_does_not_answer(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(SECONDS)
        cli = Cli(tmp_path, aws_at(f"http://127.0.0.1:{silent.getsockname()[1]}"))
        with subprocess.Popen(
            [FLEET, "ls"],
            env=cli.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                stdout, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stdout, stderr) == (130, "", "\nfleet: interrupted\n")


@contextmanager
def terminal() -> Iterator[tuple[int, int]]:
    """Its two ends: what a person sees, and what a program takes for its terminal."""
    seen, given = pty.openpty()
    try:
        yield seen, given
    finally:
        os.close(seen)
        os.close(given)


@pytest.mark.parametrize(("extra", "red"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_is_told_in_colour(tmp_path: Path, extra: dict[str, str], red: bool) -> None:
    cli = Cli(tmp_path, extra)
    with terminal() as (seen, given):
        done = subprocess.run(
            [FLEET, "nosuch"],
            env=cli.environment,
            stdin=given,
            stdout=given,
            stderr=given,
            timeout=SECONDS,
            check=False,
        )
        told = os.read(seen, 4096).decode()
    assert done.returncode == 2
    assert "No such command 'nosuch'" in told
    assert (RED in told) == red
    assert RED not in cli("nosuch").stderr


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("completion", "bash")])
def test_a_start_imports_nothing_heavy(command: Cli, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "fleet", *arguments],
        env=command.environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "fleet.cli.run" in imported
    assert imported & HEAVY == set()
