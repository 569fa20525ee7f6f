"""Bad input through the command line: one line each, the right exit code, and AWS is not asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import InProcess, aws_at, write_spec

pytestmark = pytest.mark.slow

BROKEN = Path(__file__).parent.parent / "spec" / "broken"
CASES = sorted(BROKEN.glob("*.yaml"))


class Listener:
    """Stands in for AWS and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.calls = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    running = Listener()
    yield running
    running.close()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 30


@pytest.mark.parametrize("case", CASES[::8], ids=lambda path: path.stem)
def test_a_broken_spec_is_told_and_aws_is_not_asked(
    case: Path, tmp_path: Path, listener: Listener
) -> None:
    done = InProcess(tmp_path, aws_at(listener.url))("up", str(case), "--yes")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    expected = case.with_suffix(".expected").read_text("utf-8").splitlines()
    assert len(lines) == len(expected)
    assert all(line.startswith("fleet: ") for line in lines)
    assert listener.calls == 0


def test_a_missing_spec(bare: InProcess) -> None:
    done = bare("up", "nowhere.yaml")
    assert (done.returncode, done.stderr) == (
        2,
        "fleet: nowhere.yaml: is not there: check the path\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("ls",), 1, "no region is known"),
        (("--region", "us-east-1", "ls"), 1, "no AWS credentials found: run `aws configure`"),
        (
            ("--region", "us-eats-1", "ls"),
            1,
            "region us-eats-1 does not exist: did you mean us-east-1?",
        ),
        (("--profile", "nobody", "ls"), 1, "(nobody) could not be found: check --profile"),
        (("sandbox", "env"), 1, "no sandbox is running: fleet sandbox start"),
        (("sandbox", "status"), 1, "no sandbox is running: fleet sandbox start"),
        (("nosuch",), 2, "No such command 'nosuch'"),
        (("up",), 2, "Missing argument 'SPEC': see `fleet up --help`"),
        (("ls", "-o", "xml"), 2, "'xml' is not one of 'table', 'json'"),
        (("exec", "workshop"), 2, "see `fleet exec --help`"),
        (("exec", "workshop", "--member", "ana", "--", "id"), 2, "write options before workshop"),
        (("up", "workshop.yaml", "--region", "eu-west-1"), 2, "write `fleet --region … up …`"),
        (("bake",), 2, "name a RECIPE, or --from FLEET/MEMBER"),
        (("bake", "nowhere.yaml"), 2, "check the path"),
        (("bake", "--from", "workshop", "--name", "mine"), 2, "write it FLEET/MEMBER"),
        (("bake", "--from", "workshop/ana"), 2, "add --name"),
        (("bake", "--from", "workshop/ana", "--name", "No!"), 2, "write it like no"),
        (("bake", "--reboot", "recipe.yaml"), 2, "add --from FLEET/MEMBER"),
    ],
)
def test_one_line_with_the_remedy(
    bare: InProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = bare(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_endpoint_that_nobody_serves(tmp_path: Path, listener: Listener) -> None:
    listener.close()
    done = InProcess(tmp_path, aws_at(listener.url))("ls")
    assert done.returncode == 1
    assert "AWS does not answer" in done.stderr
    assert "fleet sandbox status" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_up_without_anybody_to_confirm_needs_yes(cli: InProcess, tmp_path: Path) -> None:
    done = cli("up", str(write_spec(tmp_path, "asked")))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith("pass --yes")
    assert "price      instances $2.01/h" in done.stderr
    for key, said in (
        ("EXPIRED", "have expired"),
        ("INVALID", "does not accept these credentials"),
    ):
        refused = InProcess(tmp_path, {**cli.extra, "AWS_ACCESS_KEY_ID": key})("ls")
        assert refused.returncode == 1
        assert said in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
