"""`fleet watch` through the command line, where there is nothing to watch or something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import InProcess, write_spec

pytestmark = pytest.mark.slow

NONE = "there is no fleet lone in us-east-1: `fleet up` on its spec launches it"


@pytest.mark.parametrize(
    ("flags", "code", "line"),
    [
        (("--once", "--yes"), 1, NONE),
        (("--yes",), 1, NONE),
        ((), 1, "fleet lone is not there, or not whole: nothing is launched: `fleet up` on its"),
        (("--every", "0s"), 2, "--every 0s is too short: write 1s or more"),
        (("--every", "often"), 2, "--every "),
        (("--ready-within", "soon"), 2, "--ready-within "),
        (("--market", "cheap"), 2, "market"),
        (("-o", "yaml"), 2, "-o"),
    ],
)
def test_what_is_wrong_is_one_line(
    cli: InProcess, tmp_path: Path, flags: tuple[str, ...], code: int, line: str
) -> None:
    done = cli("watch", str(write_spec(tmp_path, "lone")), *flags)
    assert (done.returncode, done.stdout) == (code, "")
    (told,) = done.stderr.splitlines()
    assert told.startswith("fleet: ")
    assert line in told


def test_a_spec_that_is_not_there(cli: InProcess) -> None:
    done = cli("watch", "nowhere.yaml", "--once")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nowhere.yaml" in done.stderr
