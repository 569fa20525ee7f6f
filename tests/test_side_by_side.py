"""Functions side by side: bounded, in order, nothing lost, and ended by an interrupt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from fleet.side_by_side import Answer, each_side_by_side, side_by_side

PATIENCE = 30.0
"""Longer than any of these tests waits, unless what it tests is broken."""


class _Work:
    """Notes what has begun and how many ran at the same time; waits for its signal where one is given."""

    def __init__(self, *, until: threading.Event | None = None) -> None:
        self._lock = threading.Lock()
        self._until = until
        self._running = 0
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.most = 0

    def run(self, number: int) -> int:
        with self._lock:
            self.begun.append(number)
            self._running += 1
            self.most = max(self.most, self._running)
        if self._until is not None:
            self._until.wait(PATIENCE)
        with self._lock:
            self._running -= 1
            self.ended.append(number)
        return number * 10

    def wait_for(self, count: int) -> None:
        until = time.monotonic() + PATIENCE
        while len(self.begun) < count:
            assert time.monotonic() < until, "it never began"
            time.sleep(0.001)


def _break_off(
    work: _Work,
    answers: list[Answer[int]],
    *,
    at_once: int,
    wait_on_error: bool,
    on_error: Callable[[], object],
) -> None:
    """Begin twenty, and be interrupted when as many run as may."""
    with side_by_side(at_once, wait_on_error=wait_on_error, on_error=on_error) as pool:
        answers.extend(pool.ask(work.run, number) for number in range(20))
        work.wait_for(at_once)
        raise KeyboardInterrupt


def test_results_come_in_the_order_of_the_items() -> None:
    later = threading.Event()

    def first_is_last(number: int) -> int:
        if number == 0:
            assert later.wait(PATIENCE)
        else:
            later.set()
        return number * 10

    assert each_side_by_side(first_is_last, range(5), at_once=2) == (0, 10, 20, 30, 40)


def test_no_items_give_no_results() -> None:
    assert each_side_by_side(_Work().run, (), at_once=4) == ()


def test_never_more_than_the_bound() -> None:
    go = threading.Event()
    work = _Work(until=go)
    with side_by_side(3) as pool:
        answers = [pool.ask(work.run, number) for number in range(20)]
        work.wait_for(3)
        time.sleep(0.05)  # a fourth would begin within this time
        assert len(work.begun) == 3
        go.set()
    assert work.most == 3
    assert [answer() for answer in answers] == [number * 10 for number in range(20)]


def test_different_functions_with_results_of_their_own_types() -> None:
    with side_by_side(4) as pool:
        length = pool.ask(len, "four")
        text = pool.ask(str.replace, "four", "f", "p")
        base = pool.ask(int, "11", base=2)
        assert (length(), text(), base()) == (4, "pour", 3)
        assert length() == 4, "an answer can be asked for more than once"


def test_the_block_ends_when_all_have_ended() -> None:
    work = _Work()
    with side_by_side(1) as pool:
        answers = [pool.ask(work.run, number) for number in range(9)]
    assert work.ended == list(range(9))
    assert all(answer.there for answer in answers)


def test_an_answer_can_be_waited_for_so_long_and_no_longer() -> None:
    go = threading.Event()
    with side_by_side(1) as pool:
        answer = pool.ask(_Work(until=go).run, 7)
        answer.wait(0.01)
        assert not answer.there
        go.set()
        answer.wait(PATIENCE)
        assert answer.there
        assert answer() == 70


def test_the_first_error_in_the_order_of_the_items_is_raised() -> None:
    later = threading.Event()

    def fail(number: int) -> int:
        if number == 1:
            later.wait(PATIENCE)
        if number == 3:
            later.set()
        if number in {1, 3}:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="1"):
        each_side_by_side(fail, range(4), at_once=4)


def test_an_error_is_raised_where_its_answer_is_asked_for_and_spoils_no_other() -> None:
    with side_by_side(2) as pool:
        bad, good = pool.ask(int, "none"), pool.ask(int, "1")
        bad.wait(PATIENCE)
        assert good() == 1
        with pytest.raises(ValueError, match="none"):
            bad()


def test_an_interrupt_waits_for_what_has_begun_and_ends_the_rest() -> None:
    go, answers = threading.Event(), list[Answer[int]]()
    work = _Work(until=go)
    with pytest.raises(KeyboardInterrupt):
        _break_off(work, answers, at_once=2, wait_on_error=True, on_error=go.set)
    assert sorted(work.begun) == sorted(work.ended) == [0, 1]
    assert [answers[0](), answers[1]()] == [0, 10], "what has ended is not lost"


def test_an_interrupt_may_leave_what_has_begun_without_waiting() -> None:
    go, told, answers = threading.Event(), threading.Event(), list[Answer[int]]()
    work = _Work(until=go)
    with pytest.raises(KeyboardInterrupt):
        _break_off(work, answers, at_once=2, wait_on_error=False, on_error=told.set)
    assert told.is_set()
    assert work.ended == [], "it goes on, and nobody waits"
    go.set()
    for answer in answers[:2]:
        answer.wait(PATIENCE)
    assert sorted(work.ended) == sorted(work.begun) == [0, 1]


def test_an_error_among_the_items_ends_what_has_not_begun() -> None:
    told = threading.Event()
    begun: list[int] = []

    def fail(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ValueError(number)
        told.wait(PATIENCE)

    with pytest.raises(ValueError, match="0"):
        each_side_by_side(fail, range(50), at_once=2, wait_on_error=False, on_error=told.set)
    assert len(begun) < 50


def test_without_an_error_nothing_is_told_to_end() -> None:
    told = threading.Event()
    work = _Work()
    each_side_by_side(work.run, range(8), at_once=2, wait_on_error=False, on_error=told.set)
    assert not told.is_set()
    assert sorted(work.ended) == list(range(8))


def test_trouble_in_telling_does_not_keep_the_rest_running() -> None:
    def trouble() -> None:
        raise RuntimeError("told nobody")

    go, answers = threading.Event(), list[Answer[int]]()
    work = _Work(until=go)
    with pytest.raises(RuntimeError, match="told nobody"):
        _break_off(work, answers, at_once=1, wait_on_error=False, on_error=trouble)
    go.set()
    answers[0].wait(PATIENCE)
    assert work.begun == [0]
