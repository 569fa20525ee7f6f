"""Parts the deep tests into slices, so that each change runs one of them and some changes run them all.

A test that is marked `deep` is left out of `make test`. With `--slice K/N` only the deep tests of slice K run: a test
belongs to the slice that the hash of its id says, so that a new one moves no other.
"""

from __future__ import annotations

import hashlib

import pytest

DEEP = "deep"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--slice", metavar="K/N", help="Run only the deep tests of slice K of N; K counts from 0."
    )


def pytest_configure(config: pytest.Config) -> None:
    if text := config.getoption("--slice"):
        read_slice(text)


@pytest.hookimpl(tryfirst=True)  # xdist changes ids
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    text = config.getoption("--slice")
    if not text:
        return
    number, count = read_slice(text)
    kept = [one for one in items if _is_deep(one) and slice_of(one.nodeid, count) == number]
    config.hook.pytest_deselected(items=[one for one in items if one not in kept])
    items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A slice without tests is no failure."""
    if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and session.config.getoption("--slice"):
        session.exitstatus = pytest.ExitCode.OK


def read_slice(text: str) -> tuple[int, int]:
    """Read `K/N`; K may be any number, such as that of a commit, and is taken modulo N."""
    number, slash, count = text.partition("/")
    if not (slash and number.isdigit() and count.isdigit() and int(count)):
        raise pytest.UsageError(f"--slice is {text!r}: write K/N, such as 3/8")
    return int(number) % int(count), int(count)


def slice_of(test_id: str, count: int) -> int:
    """Say to which of `count` slices a test belongs."""
    return int.from_bytes(hashlib.sha256(test_id.encode()).digest()[:8]) % count


def _is_deep(item: pytest.Item) -> bool:
    return item.get_closest_marker(DEEP) is not None
