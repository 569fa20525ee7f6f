"""The command line as a person runs it, with an environment of its own: in a process, or in that of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from fleet.cli.console import Console
from fleet.cli.run import run
from fleet.errors import EXIT_INTERRUPTED
from fleet.sandbox import call_log
from fleet.sandbox.hosts import packages

FLEET = str(Path(sys.executable).with_name("fleet"))
SECONDS = 1200
_OF_THE_RUN = (call_log.VARIABLE, packages.VARIABLE, "FLEET_TEST_RUN")
"""What every command of a run of tests is told; nothing else of the caller's reaches it."""


@dataclass(frozen=True)
class Cli:
    """Runs `fleet` with an environment of its own: no AWS credentials, files below one folder."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "FLEET_"))
        }
        own = {
            "FLEET_SANDBOX_DIR": str(self.folder / "sandbox"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true",
            **{name: os.environ[name] for name in _OF_THE_RUN if name in os.environ},
        }
        return kept | own | self.extra

    def __call__(
        self, *arguments: str, timeout: float = SECONDS
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [FLEET, *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, and read its JSON."""
        done = self(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def sandbox_environment(self) -> dict[str, str]:
        """What `eval "$(fleet sandbox env)"` gives a shell."""
        script = f'eval "$({FLEET} sandbox env)" && env -0'
        done = subprocess.run(
            ["bash", "-c", script],
            env=self.environment,
            capture_output=True,
            timeout=60,
            check=True,
        )
        pairs = (entry.split("=", 1) for entry in done.stdout.decode().split("\0") if "=" in entry)
        return dict(pairs)


@dataclass(frozen=True)
class InProcess(Cli):
    """Runs the same in the test's own process: no interpreter starts, and nothing is imported twice.

    One command at a time, for a process has one environment and one stdout. What only a process shows stays with
    `Cli`: how it ends, signals, pipes that close, terminals.
    """

    def __call__(
        self, *arguments: str, timeout: float = SECONDS
    ) -> subprocess.CompletedProcess[str]:
        with Path(os.devnull).open() as nobody, _file() as stdout, _file() as stderr:
            began = time.monotonic()
            with _environment(self.environment):
                code = run(arguments, Console(nobody, stdout, stderr))
            took = time.monotonic() - began
            said = [_read(stream) for stream in (stdout, stderr)]
        if code == EXIT_INTERRUPTED:
            raise KeyboardInterrupt  # whoever runs the tests has pressed Ctrl-C
        if took > timeout:
            raise subprocess.TimeoutExpired(arguments, timeout, *said)
        return subprocess.CompletedProcess(arguments, code, *said)


def aws_at(url: str) -> dict[str, str]:
    """What the environment of somebody says who has credentials, and whose AWS answers at a URL."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "FLEET_CHECKIP_URL": f"{url}/checkip",
    }


def _file() -> TextIO:
    """A stream as a process has it, with a descriptor."""
    return os.fdopen(os.memfd_create("stream"), "w+", encoding="utf-8")


def _read(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read()


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Make these the environment, and then those of before; one that stays is there all the time."""
    before = dict(os.environ)
    _change(values)
    try:
        yield
    finally:
        _change(before)


def _change(values: Mapping[str, str]) -> None:
    for name in {*os.environ} - {*values}:
        del os.environ[name]
    os.environ.update(values)


def processes_of(directory: Path) -> list[Path]:
    """Give the /proc folders of the processes that name a sandbox's directory in arguments or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue  # it has ended, or is another user's
        if str(directory).encode() in told and state != "Z":
            found.append(entry)
    return found


def write_spec(folder: Path, name: str, **changes: str) -> Path:
    """Write a small spec; each change replaces or adds a top-level line."""
    lines = {
        "name": name,
        "members": "[ana, ben]",
        "image": "{framework: pytorch, os: ubuntu-24.04}",
        "instances": "{types: [g5.xlarge, g4dn.xlarge]}",
        "volume": "120GiB",
        "expires": "8h",
    }
    path = folder / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in {**lines, **changes}.items()))
    return path
