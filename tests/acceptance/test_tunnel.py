"""Nothing but SSH is open: the services come here through a tunnel, by `fleet tunnel` and by `fleet open`."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from fleet.jupyter.http import Server, request
from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

BROWSER = """\
import pathlib, sys, urllib.request
page = urllib.request.urlopen(sys.argv[1]).read().decode()
pathlib.Path({told!r}).write_text(sys.argv[1] + "\\n" + page)
"""


@contextmanager
def running(cli: Cli, *words: str, **extra: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A command that holds until Ctrl-C; gives its last line of stdout, once it says that it holds."""
    process = subprocess.Popen(
        [FLEET, *words],
        env=cli.environment | {"PYTHONUNBUFFERED": "1", **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        assert process.stdout is not None
        said = [line for line in iter(process.stderr.readline, "open until Ctrl-C …\n") if line]
        assert process.poll() is None, said
        try:
            yield process, next(line for line in process.stdout if "token=" in line)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0
            assert process.stderr.read() == "closed\n"


def status_of(url: str) -> int:
    parts = urlsplit(url)
    server = Server(parts.hostname or "", parts.port or 0)
    return request(server, "GET", f"{parts.path}?{parts.query}", timeout=60).status


def test_everything_goes_through_ssh(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "inner", members="[solo]", access="{via: tunnel}", tls="none")
    up = cli("--sandbox", "up", str(spec))
    assert up.returncode == 0, up.stderr
    assert "ports      22 from 127.0.0.1/32" in up.stderr
    assert "the links open inside `fleet tunnel inner MEMBER`" in up.stderr
    assert cli("--sandbox", "access", "allow", "inner", "203.0.113.0/24").returncode == 0
    doors = cli.json("--sandbox", "access", "show", "inner", "-o", "json")["ingress"]
    assert {tuple(door["ports"]) for door in doors} == {("22",)}
    (shown,) = cli.json("--sandbox", "status", "inner", "--proof", "-o", "json")["environments"]
    assert (shown["state"], shown["proof"]["certified_until"]) == ("ready", None)

    with running(cli, "--sandbox", "tunnel", "inner", "solo") as (_, table):
        jupyter, tensorboard = table.split()[-2:]
        assert jupyter.startswith("http://127.0.0.1:")
        assert (status_of(jupyter), status_of(tensorboard)) == (200, 200)
        assert status_of(jupyter.split("?")[0]) == 302
    with pytest.raises(OSError, match="refused"):
        status_of(jupyter)

    told = tmp_path / "told"
    (tmp_path / "browser.py").write_text(BROWSER.format(told=str(told)))
    browser = f"{sys.executable} {tmp_path / 'browser.py'} %s"
    with running(cli, "--sandbox", "open", "inner", "solo", BROWSER=browser) as (process, _):
        token = jupyter.split("token=")[1]
        argument, page = told.read_text().split("\n", 1)
        assert argument.startswith("file:///")
        assert token not in argument, "a browser's arguments can be read by everybody"
        file = Path(urlsplit(argument).path)
        assert file.stat().st_mode & 0o777 == 0o600
        link = page.split("url=", 1)[1].split('"')[0]
        assert token in link
        assert status_of(link) == 200
        assert process.poll() is None
    assert not file.exists()

    # The same environments, opened: the spec decides anew with each `up`.
    write_spec(tmp_path, "inner", members="[solo]")
    (opened,) = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    assert opened["instance_id"] == shown["instance_id"]
    assert opened["jupyter_url"].startswith(f"https://{opened['address']}:8888/")
    (proven,) = cli.json("--sandbox", "status", "inner", "--proof", "-o", "json")["environments"]
    assert proven["proof"]["certified_until"]
    assert cli("--sandbox", "down", "inner").returncode == 0


def test_bad_input_is_one_line(cli: Cli) -> None:
    for words in (("open", "nobody", "ana"), ("tunnel", "nobody")):
        done = cli("--sandbox", *words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no fleet nobody" in done.stderr.splitlines()[-1]
