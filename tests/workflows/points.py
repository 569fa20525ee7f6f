"""The AWS calls at which a run is killed: after each change in every run of the tests, at all calls in the deep suite.

Between two changes the cloud stays as it is: a kill before one is a kill after the one before, and a kill at a call
that only reads is a kill after the last change. The deep suite shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import pytest
from _pytest.mark import ParameterSet

When = Literal["before", "after"]


@dataclass(frozen=True)
class Point:
    """One call of a run."""

    action: str
    nth: int

    def __str__(self) -> str:
        return f"{self.action} {self.nth}"


def points_of(recorded: Sequence[Counter[str]]) -> list[Point]:
    """Every call that each of several runs makes; they must not differ in what they do."""
    assert len({frozenset(one) for one in recorded}) == 1, recorded
    least = {action: min(one[action] for one in recorded) for action in recorded[0]}
    return [Point(a, n) for a, count in least.items() for n in range(1, count + 1)]


def changes(action: str) -> bool:
    """Whether an action does more than read."""
    return not action.startswith(("Describe", "Get"))


Choice = Callable[[Sequence[Point]], list[Point]]


def each_call(points: Sequence[Point]) -> list[Point]:
    return list(points)


def each_change(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if changes(point.action)]


def each_read(points: Sequence[Point]) -> list[Point]:
    return [point for point in points if not changes(point.action)]


def each_kind_of_change(points: Sequence[Point]) -> list[Point]:
    """What makes something at its first call, what tags it or takes it away at its last."""
    found = each_change(points)
    last = {point.action: point for point in found}
    first = {point.action: point for point in reversed(found)}
    late = ("CreateTags", "Delete", "Deregister", "Terminate")
    return [last[action] if action.startswith(late) else first[action] for action in last]


@dataclass(frozen=True)
class Kills:
    """Where a run is killed: before or after the calls that are chosen, or every so manieth of them."""

    when: When
    choose: Choice
    part: int = 0
    parts: int = 1

    def at(self, points: Sequence[Point]) -> list[Point]:
        """Those of the points."""
        chosen = self.choose(points)[self.part :: self.parts]
        assert chosen, points
        return chosen

    def __str__(self) -> str:
        words = f"{self.when}_{self.choose.__name__}"
        return words if self.parts == 1 else f"{words}-{self.part + 1}_of_{self.parts}"


def in_every_run(when: When, choose: Choice) -> ParameterSet:
    kills = Kills(when, choose)
    return pytest.param(kills, id=str(kills))


def deep(when: When, choose: Choice, *, parts: int) -> list[ParameterSet]:
    """The deep suite's, in so many tests that none of them takes long."""
    parted = [Kills(when, choose, part, parts) for part in range(parts)]
    return [pytest.param(kills, id=str(kills), marks=pytest.mark.deep) for kills in parted]
