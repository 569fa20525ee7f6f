"""Holds the IAM policy against what the tests made the product call.

Every sandbox that a test starts writes down each AWS call (`fleet.sandbox.call_log`). At the end of the run, in the
process that saw all of it, the calls that carry the product's name are compared with what effects declare: an action
that is called and not declared fails the run; so does, in a run of all tests, one that is declared and never called.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path

import pytest

from fleet.aws.effects import declared_actions
from fleet.plan.account.iam import CALLED_BY_OTHERS, CHECKED_WITH
from fleet.sandbox.call_log import VARIABLE
from tests.depth import DEEP

PRODUCT = "dl-fleet"
"""The product's name in its user agent; the tests' own clients do not say it."""

_LOG = pytest.StashKey[Path]()
_FAULTS = pytest.StashKey[list[str]]()
_SAID = pytest.StashKey[str]()


def product_actions(lines: Iterable[str]) -> set[str]:
    """Give the actions that the product called."""
    split = (line.partition(" ") for line in lines)
    return {action for action, _, agent in split if PRODUCT in agent.split()}


def faults(called: Collection[str], declared: Collection[str], *, whole: bool) -> list[str]:
    """Say what is called and not declared, and after a whole run what is declared and never called."""
    found = [f"{a} is called, and no @effect declares it" for a in sorted({*called} - {*declared})]
    if whole:
        implied = {action for action, cause in CHECKED_WITH.items() if cause in called}
        unused = {*declared} - {*called} - implied - CALLED_BY_OTHERS
        found += [
            f"{action} is declared, and no test makes the product call it"
            for action in sorted(unused)
        ]
    return found


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return  # a worker of xdist: the log is its parent's
    handle, name = tempfile.mkstemp(prefix="fleet-calls-")
    os.close(handle)
    config.stash[_LOG] = Path(name)
    os.environ[VARIABLE] = name


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    log = session.config.stash.get(_LOG, None)
    if log is None:
        return
    called = product_actions(log.read_text().splitlines())
    log.unlink()
    declared = {action for effect in declared_actions().values() for action in effect}
    whole = exitstatus == pytest.ExitCode.OK and _all_tests(session.config)
    session.config.stash[_FAULTS] = faults(called, declared, whole=whole)
    session.config.stash[_SAID] = (
        f"{len(called)} AWS actions called, {len(declared)} declared: "
        + (
            "compared both ways"
            if whole
            else "NOT checked for unused ones, this was not a whole run"
        )
    )
    if session.config.stash[_FAULTS] and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if _SAID not in config.stash:
        return
    terminalreporter.section("IAM policy")
    terminalreporter.line(config.stash[_SAID])
    for fault in config.stash[_FAULTS]:
        terminalreporter.line(f"FAILED {fault}", red=True)


def _all_tests(config: pytest.Config) -> bool:
    """Whether every test ran, or all but the deep ones, which make the product call nothing more."""
    narrowed = (
        "keyword",
        "slice",
        "deselect",
        "ignore",
        "ignore_glob",
        "collectonly",
        "lf",
        "stepwise",
    )
    return (
        config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and config.getoption("markexpr") in {"", f"not {DEEP}"}
        and not any(config.getoption(option, None) for option in narrowed)
    )
