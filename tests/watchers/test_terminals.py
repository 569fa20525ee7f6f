"""Terminals of a person: what is input, what is a job, and where a warning is read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rules import Finding
from terminals import Terminals, terminals, warn

from .places import soon
from .ptys import open_pty, settle, soon_runs

QUIET = Finding("quiet", "no terminal input")


@pytest.mark.slow
def test_a_shell_at_its_prompt_is_quiet_and_input_is_not(tmp_path: Path) -> None:
    watched = Terminals(tmp_path)
    assert watched.look() == QUIET, "no terminal"
    with open_pty(tmp_path) as shell:
        assert watched.look() == QUIET, "a mere connection"
        settle(tmp_path)
        assert watched.look() == QUIET
        shell.type("true\n")
        assert soon(lambda: watched.look() != QUIET)
        assert watched.look() == QUIET, "told once"
    soon(lambda: not list(terminals(tmp_path)))
    assert watched.look() == QUIET


def test_only_the_persons_terminals_count(tmp_path: Path) -> None:
    with open_pty(tmp_path / "another") as shell:
        shell.type("sleep 1000\n")
        soon_runs(tmp_path / "another", "sleep")
        assert Terminals(tmp_path).look() == QUIET


def test_a_job_in_the_foreground(tmp_path: Path) -> None:
    watched = Terminals(tmp_path)
    with open_pty(tmp_path) as shell:
        shell.type("sleep 1000\n")
        soon_runs(tmp_path, "sleep")
        assert watched.look() == Finding("busy", "sleep runs in a terminal")
        shell.type("\x1a")  # Ctrl-Z
        soon_runs(tmp_path, None)
        shell.type("fg\n")
        soon_runs(tmp_path, "sleep")
        shell.type("\x03")
        soon_runs(tmp_path, None)


def test_a_job_in_the_background_is_told_by_what_it_uses(tmp_path: Path) -> None:
    with open_pty(tmp_path) as shell:
        shell.type("sleep 1000 & echo began\n")
        shell.wait_for("began\r\n")
        soon_runs(tmp_path, None)


def test_a_shell_in_a_shell_waits_too(tmp_path: Path) -> None:
    with open_pty(tmp_path) as shell:
        shell.type("PS1='inner> ' bash --norc --noprofile\n")
        shell.wait_for("inner> ")
        soon_runs(tmp_path, None)
        shell.type("sleep 1000\n")
        soon_runs(tmp_path, "sleep")


@pytest.mark.parametrize(
    "command",
    [("sleep", "1000"), ("bash", "-c", "sleep 1000; true"), ("sh", "-ec", "sleep 1000; true")],
    ids=["itself", "bash", "options"],
)
def test_a_terminal_that_was_opened_for_a_job(tmp_path: Path, command: tuple[str, ...]) -> None:
    with open_pty(tmp_path, *command):
        soon_runs(tmp_path, "sleep")


def test_a_script_is_a_job(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text("sleep 1000\ntrue\n")
    with open_pty(tmp_path, "bash", str(tmp_path / "train.sh")):
        soon_runs(tmp_path, "sleep")
    soon(lambda: not list(terminals(tmp_path)))
    with open_pty(tmp_path) as shell:
        shell.type(f"bash {tmp_path}/train.sh\n")
        soon_runs(tmp_path, "sleep")


@pytest.mark.parametrize("options", [("--rcfile", "/dev/null"), ("-o", "emacs"), ("-l",)])
def test_shells_with_options_wait(tmp_path: Path, options: tuple[str, ...]) -> None:
    with open_pty(tmp_path, "bash", *options, "-i") as shell:
        shell.type("echo be''gan\n")
        shell.wait_for("began\r\n")
        soon_runs(tmp_path, None)
        assert [each.job() for each in terminals(tmp_path)] == [None]


def test_a_session_of_tmux(tmp_path: Path) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    tmux = ["tmux", "-S", str(tmp_path / "socket"), "-f", "/dev/null"]
    try:
        with open_pty(tmp_path, *tmux, "new-session", "bash --norc --noprofile"):
            soon(lambda: len(list(terminals(tmp_path))) == 2)
            soon(lambda: any(each.shows_another for each in terminals(tmp_path)))
            assert [each.job() for each in terminals(tmp_path)] == [None, None], "only shown"
            warn(tmp_path, "soon over")
            capture = [*tmux, "capture-pane", "-p"]
            soon(lambda: "soon over" in subprocess.check_output(capture, text=True, timeout=60))
            subprocess.run([*tmux, "send-keys", "sleep 1000", "Enter"], check=True, timeout=60)
            soon(lambda: "sleep" in [each.job() for each in terminals(tmp_path)])
        soon(lambda: len(list(terminals(tmp_path))) == 1)
        soon_runs(tmp_path, "sleep")  # nobody is connected any more
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, timeout=60)


def test_a_session_of_screen(tmp_path: Path) -> None:
    if shutil.which("screen") is None:
        pytest.skip("screen is not installed")
    (tmp_path / "sockets").mkdir(mode=0o700)
    screen = ["env", f"SCREENDIR={tmp_path}/sockets", "screen"]
    try:
        with open_pty(tmp_path, *screen, "sh") as shown:
            soon(lambda: len(list(terminals(tmp_path))) == 2)
            soon(lambda: [each.job() for each in terminals(tmp_path)] == [None, None])
            shown.type("sleep 1000\n")
            soon(lambda: "sleep" in [each.job() for each in terminals(tmp_path)])
        soon(lambda: len(list(terminals(tmp_path))) == 1)
        soon_runs(tmp_path, "sleep")  # nobody is connected any more
    finally:
        subprocess.run([*screen, "-X", "quit"], check=False, timeout=60)


def test_a_warning_is_read_on_each_terminal(tmp_path: Path) -> None:
    with open_pty(tmp_path) as one, open_pty(tmp_path) as other, open_pty(tmp_path / "no") as no:
        warn(tmp_path, "fleet: this environment stops in 5 min")
        for each in (one, other):
            each.wait_for("*** fleet: this environment stops in 5 min ***")
        no.type("echo end\n")
        no.wait_for("end\r\n")
        assert "fleet" not in no.shown
        assert Terminals(tmp_path).look() == QUIET, "and is no input"


def test_a_terminal_that_takes_nothing_holds_nobody_up(tmp_path: Path) -> None:
    with open_pty(tmp_path, "sh", "-c", "stty -ixon; yes; sleep 1000"), open_pty(tmp_path) as other:
        soon(
            lambda: "yes" in [each.job() for each in terminals(tmp_path)]
        )  # nobody reads what it says
        warn(tmp_path, "fleet: soon")
        other.wait_for("*** fleet: soon ***")
