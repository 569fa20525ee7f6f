"""What the processes of one run of tests share: a folder, a cache of packages, and somebody who ends what they leave.

Every process that a test starts inherits the run's folder in its environment, or has a path below it in its arguments.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.sandbox.hosts import packages
from tests.command import processes_of

VARIABLE = "FLEET_TEST_RUN"
_GRACE_SECONDS = 20
_REAPER_SECONDS = 120
_RUN = pytest.StashKey["_Run"]()
_LEFT = pytest.StashKey[list[str]]()


@dataclass
class _Run:
    folder: Path
    reaper: subprocess.Popen[bytes]
    alive: int
    """The end of the pipe that closes when this process ends."""


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # a worker of xdist: all of it is its parent's
    # Where this is set, each of the hundreds of commands that tests run would compile all that it imports.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    folder = Path(tempfile.mkdtemp(prefix="fleet-tests-"))
    if config.option.basetemp is None:
        config.option.basetemp = str(folder / "t")
    os.environ[VARIABLE] = str(folder)
    os.environ[packages.VARIABLE] = str(_package_cache(folder))
    waiting, alive = os.pipe()
    reaper = subprocess.Popen(
        [sys.executable, "-m", "tests.reaper", str(folder), str(waiting)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        pass_fds=[waiting],
        start_new_session=True,  # Ctrl-C is not for it
    )
    os.close(waiting)
    config.stash[_RUN] = _Run(folder, reaper, alive)


def _package_cache(folder: Path) -> Path:
    """The cache that `make` names, where links from the run's folder can lead to it; else one of the run's own."""
    named = Path(os.environ.get(packages.VARIABLE) or folder / "packages")
    named.mkdir(parents=True, exist_ok=True)
    return named if named.stat().st_dev == folder.stat().st_dev else folder / "packages"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run whose workers have ended and that has left processes behind has failed."""
    run = session.config.stash.get(_RUN, None)
    if run is None or not session.config.getoption("numprocesses", None):
        return  # this very process may hold some that end with it
    until = time.monotonic() + _GRACE_SECONDS
    mine = {str(os.getpid()), str(run.reaper.pid)}
    while left := [one for one in processes_of(run.folder) if one.name not in mine]:
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    session.config.stash[_LEFT] = [_words_of(one) for one in left]
    if left and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(_LEFT, []):
        terminalreporter.line(f"FAILED a test has left a process behind: {line}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(_RUN, None)
    if run is None:
        return
    os.close(run.alive)
    run.reaper.wait(_REAPER_SECONDS)


def _words_of(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return f"{process.name} (ended meanwhile)"
    return f"{process.name} {b' '.join(words).decode(errors='replace')[:200]}"
