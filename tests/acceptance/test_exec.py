"""`fleet exec` labels and keeps every result, `fleet ssh` logs in."""

from __future__ import annotations

import shutil

import pytest

from tests.acceptance.standing import NAME, ODD, Standing
from tests.command import Cli

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("standing")]


def test_exec_labels_and_keeps_every_result(standing: Standing) -> None:
    cli = standing.cli
    done = cli("--sandbox", "exec", NAME, "--", "hostname")
    assert done.returncode == 0
    lines = [line.split(" | ") for line in done.stdout.splitlines()]
    assert [label.rstrip() for label, _ in lines] == [ODD, "ana"]
    failed = cli("--sandbox", "exec", NAME, "--", "exit 4")
    assert (failed.returncode, failed.stdout) == (1, "")
    cli("--sandbox", "exec", "--member", "ana", NAME, "--", "touch", "a b")
    partly = cli("--sandbox", "exec", NAME, "--", "ls 'a b'")
    assert partly.returncode == 3
    assert f"{ODD} | exit status 2" in partly.stderr
    cli("--sandbox", "exec", "--member", "ana", NAME, "--", "rm", "a b")
    nobody = cli("--sandbox", "exec", "--member", "zoe", NAME, "--", "id")
    assert f"has no member zoe: it has {ODD}, ana" in nobody.stderr
    if shutil.which("ssh") is None:
        pytest.skip("OpenSSH's client is not installed: `fleet ssh` was not tried")
    logged_in = Cli(cli.folder)("--sandbox", "ssh", NAME, ODD, "hostname")
    assert logged_in.stdout == lines[0][1] + "\n"
