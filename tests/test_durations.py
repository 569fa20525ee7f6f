"""The table that ends a run."""

from __future__ import annotations

from tests.durations import table


def test_the_folder_that_took_most_comes_first() -> None:
    seconds = {
        "tests/a/test_x.py::one[1]": 0.5,
        "tests/a/test_y.py::two": 1.0,
        "tests/b/test_z.py::three": 7.25,
    }
    assert table(seconds) == [
        "tests/b      1 tests      7.2 s",
        "tests/a      2 tests      1.5 s",
        "all          3 tests      8.8 s",
    ]


def test_a_run_without_tests_has_a_sum() -> None:
    assert table({}) == ["all      0 tests      0.0 s"]
