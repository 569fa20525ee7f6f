"""`fleet watch` through the real command line, where there is nothing to watch or something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Cli, write_spec

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("flags", "code", "line"),
    [
        (("--once",), 1, "there is no fleet lone in us-east-1: `fleet up` on its spec launches it"),
        ((), 1, "there is no fleet lone in us-east-1: `fleet up` on its spec launches it"),
        (("--every", "0s"), 2, "--every 0s is too short: write 1s or more"),
        (("--every", "often"), 2, "--every "),
        (("--ready-within", "soon"), 2, "--ready-within "),
        (("--market", "cheap"), 2, "market"),
        (("-o", "yaml"), 2, "-o"),
    ],
)
def test_what_is_wrong_is_one_line(
    cli: Cli, tmp_path: Path, flags: tuple[str, ...], code: int, line: str
) -> None:
    done = cli("--sandbox", "watch", str(write_spec(tmp_path, "lone")), *flags)
    assert (done.returncode, done.stdout) == (code, "")
    told = [one for one in done.stderr.splitlines() if not one.startswith("sandbox: starting")]
    assert len(told) == 1
    assert told[0].startswith("fleet: ")
    assert line in told[0]


def test_a_spec_that_is_not_there(cli: Cli) -> None:
    done = cli("--sandbox", "watch", "nowhere.yaml", "--once")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.yaml" in done.stderr
