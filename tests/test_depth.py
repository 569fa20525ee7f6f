"""The deep tests are parted: each belongs to one slice, whatever else there is."""

from __future__ import annotations

import pytest

from tests.depth import read_slice, slice_of

IDS = [f"tests/acceptance/test_{n}.py::test_one[{n}]" for n in range(400)]


def test_every_test_has_one_slice_of_about_the_same_size() -> None:
    sizes = [sum(slice_of(one, 8) == number for one in IDS) for number in range(8)]
    assert sum(sizes) == len(IDS)
    assert min(sizes) > 25


def test_a_commits_number_chooses_the_slice() -> None:
    assert [read_slice(f"{number}/4") for number in (0, 3, 311)] == [(0, 4), (3, 4), (3, 4)]


@pytest.mark.parametrize("text", ["", "3", "3/", "/4", "a/4", "3/0", "-1/4"])
def test_what_is_no_slice_is_refused(text: str) -> None:
    with pytest.raises(pytest.UsageError, match="write K/N, such as 3/8"):
        read_slice(text)
