"""fleet-lifetime as a program: what ends an environment, what keeps it, and what it tells."""

from __future__ import annotations

import json
import re
import shutil
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clock import boot_seconds, from_stamp, to_stamp

from .places import Answers, jupyter, make_person, put_program, serve, soon
from .programs import FOLDER, Program
from .ptys import open_pty

IDLE = 3
pytestmark = pytest.mark.slow


@pytest.fixture
def server() -> Iterator[Answers]:
    with serve(jupyter()) as answers:
        yield answers


@pytest.fixture
def program(tmp_path: Path, server: Answers) -> Program:
    """A watcher of a quiet environment that never expires."""
    made = Program("lifetime", make_person(tmp_path, server.port), tmp_path)
    made.settings["FLEET_IDLE_SECONDS"] = str(IDLE)
    made.expire("never")
    return made


def test_a_quiet_environment_is_powered_off_after_its_idle_time(program: Program) -> None:
    start = boot_seconds()
    with program.running():
        first = program.soon(lambda told: told["state"] == "idle")
        assert first["tick_seconds"] == 0.5
        assert (first["idle_limit_seconds"], first["expires_at"]) == (IDLE, None)
        assert first["boot_seconds"] == pytest.approx(boot_seconds(), abs=30)
        warned = program.soon(lambda told: told["warning"])
        assert warned["stops_in_seconds"] <= 1
        assert warned["warning"].startswith("this environment stops in ")
        assert warned["stops_because"] == "idle"
        assert "kernels quiet" in warned["reasons"]
        assert "GPU 0 %" in warned["reasons"]
        assert "CPU 0 %" in warned["reasons"]
        assert "no terminal input" in warned["reasons"]
        soon(lambda: program.is_off)
        assert boot_seconds() - start >= IDLE
        assert "powering off, idle: kernels quiet" in program.log()
        mode = (program.folder / "run" / "lifetime.json").stat().st_mode
        assert stat.S_IMODE(mode) == 0o644, "everybody may read it"


def test_warnings_are_read_in_a_terminal_and_enter_keeps_the_environment(program: Program) -> None:
    # The warning comes after the 8 s in which no access is noted.
    program.settings["FLEET_IDLE_SECONDS"] = "16"
    with open_pty(program.person.home) as shell, program.running():
        shell.wait_for("Press Enter to keep it. ***")
        said = re.search(
            r"\*\*\* fleet: this environment stops in (\d+) s: nobody has used it for (\d+) s\. ",
            shell.shown,
        )
        assert said is not None, shell.shown
        left, idle = int(said[1]), int(said[2])
        assert left <= 4, "a quarter of the idle time"
        assert left + idle == pytest.approx(16, abs=1), "both are rounded"
        shell.type("\n")
        told = program.soon(lambda told: told["reasons"] == ["input on a terminal"])
        assert (told["idle_seconds"], told["warning"]) == (0, None)
        assert not program.is_off


def test_what_is_used_goes_on(program: Program, server: Answers) -> None:
    server.kernel("busy")
    with program.running(), open_pty(program.person.home) as shell:
        program.soon(lambda told: told["reasons"] == ["a kernel is busy"])
        server.kernel("idle")
        (program.folder / "gpu").write_text("80")
        assert "GPU 80 %" in program.soon(lambda told: "GPU 80 %" in told["reasons"])["reasons"]
        (program.folder / "gpu").write_text("0")
        shell.type("sleep 1000\n")
        program.soon(lambda told: told["reasons"] == ["sleep runs in a terminal"])
        time.sleep(IDLE + 2)  # longer than its idle time
        assert program.heartbeat["state"] == "busy"
        assert program.heartbeat["stops_in_seconds"] is None
        assert not program.is_off
        shell.type("\x03")
        (program.person.files / "saved").touch()
        program.soon(lambda told: "a file was saved" in told["reasons"])
        soon(lambda: program.is_off)


def test_keep(program: Program) -> None:
    program.settings["FLEET_KEEP_SECONDS"] = "6"
    with program.running():
        program.next()
        kept = boot_seconds()
        (program.person.files / "keep").touch()
        told = program.soon(lambda told: told["kept_seconds"])
        assert told["reasons"] == ["somebody asked to keep it"]
        assert told["kept_seconds"] <= 6
        soon(lambda: program.is_off)
        assert boot_seconds() - kept >= 5.9, "longer than it may be idle"


def test_a_keep_outlives_the_watcher(program: Program) -> None:
    (program.person.files / "keep").touch()
    with program.running():
        assert 3500 < program.soon(lambda told: True)["kept_seconds"] <= 3600


def test_expiry_is_read_anew_at_every_tick(program: Program, server: Answers) -> None:
    server.kernel("busy")
    program.expire(str(to_stamp(time.time() + 3600)))
    with program.running(), open_pty(program.person.home) as shell:
        told = program.soon(lambda told: told["stops_because"] == "expiry")
        assert 3500 < told["stops_in_seconds"] <= 3600
        assert told["warning"] is None
        program.expire(str(to_stamp(time.time() + 600)))
        told = program.soon(lambda told: told["warning"])
        assert told["warning"] == "this environment stops in 10 min: its time is over"
        shell.wait_for("Save your work, or ask for more time. ***")
        program.expire("2026-11-")  # torn
        told = program.soon(lambda told: told["state"] == "busy" and len(told["reasons"]) == 2)
        assert told["reasons"][0].startswith("expiry: time data '2026-11-' does not match")
        assert told["stops_because"] == "expiry", "what it said last holds"
        program.expire(str(to_stamp(time.time() + 7200)))
        program.soon(lambda told: told["stops_in_seconds"] > 7000)
        assert not program.is_off
        program.expire(str(to_stamp(time.time() + 2)))
        soon(lambda: program.is_off)
        assert "powering off, expiry: a kernel is busy" in program.log()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_jumps_moves_no_end(
    program: Program, server: Answers, hours: int
) -> None:
    """The program runs with a wall clock that a file sets; its other clocks are the kernel's."""
    program.script = program.folder / "jumping.py"
    jump = program.folder / "jump"
    jump.write_text("0")
    program.script.write_text(
        f"import runpy, sys, time\nreal = time.time\n"
        f"time.time = lambda: real() + float(open({str(jump)!r}).read() or 0)\n"
        f"sys.path.insert(0, {str(FOLDER)!r})\nimport clock\nclock.is_synchronised = lambda: True\n"
        f"runpy.run_path({str(FOLDER / 'lifetime.py')!r}, run_name='__main__')\n"
    )
    server.kernel("busy")
    program.expire(str(to_stamp(time.time() + 1800)))
    with program.running():
        program.next()
        jump.write_text(str(hours * 3600))
        told = program.next()
        assert told["stops_in_seconds"] == pytest.approx(1800, abs=60)
        assert from_stamp(told["at"]) == pytest.approx(time.time(), abs=60), "nor did this jump"
        quiet = boot_seconds()
        server.kernel("idle")
        program.soon(lambda told: told["state"] == "idle")
        jump.write_text("0")
        soon(lambda: program.is_off)
        assert boot_seconds() - quiet >= IDLE - 1  # the last busy look was up to a tick before


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 15", "GPU: nvidia-smi failed with exit status 15"),
        ("exec sleep 1000", "GPU: no answer in time"),
    ],
    ids=["fails", "hangs"],
)
def test_a_check_that_fails_or_hangs_keeps_the_environment_and_is_told(
    program: Program, script: str, reason: str
) -> None:
    with program.running():
        program.next()
        put_program(program.folder / "programs", "nvidia-smi", script)
        told = program.soon(lambda told: told["state"] == "unknown")
        assert told["reasons"] == [reason]
        time.sleep(IDLE)
        told = program.next()
        assert (told["state"], told["idle_seconds"], told["warning"]) == ("unknown", 0, None)
        assert not program.is_off


def test_without_jupyter_and_expiry_nothing_is_known(tmp_path: Path) -> None:
    program = Program("lifetime", make_person(tmp_path), tmp_path, {"FLEET_IDLE_SECONDS": "2"})
    (program.person.files / "token").unlink()
    with program.running():
        told = program.soon(lambda told: True)
        assert told["state"] == "unknown"
        assert told["reasons"][0].startswith("expiry: time data '' does not match")
        assert "token" in told["reasons"][1]
        time.sleep(4)
        assert not program.is_off


def test_poweroff_is_tried_again(program: Program) -> None:
    program.expire("2026-01-01T00:00:00Z")
    with program.running():
        put_program(program.folder / "programs", "systemctl", "exit 1")
        soon(lambda: "not powered off" in program.log())
        put_program(program.folder / "programs", "systemctl", f"echo off >{program.folder}/off")
        soon(lambda: program.is_off)


def test_without_idle_it_only_tells(program: Program) -> None:
    del program.settings["FLEET_IDLE_SECONDS"]
    with program.running():
        told = program.soon(lambda told: True)
        assert told["tick_seconds"] == 15
        assert (told["idle_limit_seconds"], told["stops_in_seconds"]) == (None, None)
        json.dumps(told)


def _interpreter(version: str) -> str | None:
    """Find a Python of a version, wherever people keep several."""
    kept = [(".pyenv/versions", f"{version}.*"), (".local/share/uv/python", f"cpython-{version}.*")]
    found = [path for folder, name in kept for path in (Path.home() / folder).glob(name)]
    known = (path / "bin" / "python3" for path in found)
    return next((str(path) for path in known if path.exists()), shutil.which(f"python{version}"))


@pytest.mark.parametrize("version", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_python_of_the_images_runs_both(program: Program, version: str) -> None:
    python = _interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not on this machine")
    program.python = python
    flat = program.folder / "usr/local/lib/fleet"
    shutil.copytree(FOLDER, flat, ignore=shutil.ignore_patterns("__pycache__"))
    program.script = flat / "lifetime.py"
    program.expire("2026-01-01T00:00:00Z")
    with program.running():
        soon(lambda: program.is_off)
        assert program.heartbeat["stops_because"] == "expiry"
    program.settings["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://127.0.0.1:1"
    spot = Program("spot", program.person, program.folder, program.settings, program.python)
    spot.script = flat / "spot.py"
    with spot.running():
        told = spot.soon(lambda told: True)
        assert told["reasons"] == ["instance metadata: [Errno 111] Connection refused"]
    assert not list(flat.glob("__pycache__")), "nothing is written beside the programs"
