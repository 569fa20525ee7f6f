"""The watchers' dates: a wall clock that jumps makes an expiry neither early nor late."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clock import Clock, boot_seconds, from_stamp, is_synchronised, to_stamp

HOUR = 3600.0
START = 1_795_000_000.0


@dataclass
class World:
    """True seconds since boot, and what the wall clock and the kernel say."""

    boot: float = 0.0
    wrong: float = 0.0
    synchronised: bool = True

    def clock(self) -> Clock:
        return Clock(
            lambda: START + self.boot + self.wrong, lambda: self.boot, lambda: self.synchronised
        )


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("synchronised", [False, True])
def test_a_jump_moves_no_date(hours: int, synchronised: bool) -> None:
    world = World()
    clock = world.clock()
    assert clock.now() == START
    world.boot, world.wrong, world.synchronised = 100, hours * HOUR, synchronised
    assert clock.now() == START + 100
    world.wrong, world.synchronised = 0, True
    assert clock.now() == START + 100


def test_the_first_synchronised_date_is_taken() -> None:
    world = World(wrong=-5 * HOUR, synchronised=False)
    clock = world.clock()
    assert clock.now() == START - 5 * HOUR, "nothing better is known"
    world.boot, world.wrong, world.synchronised = 30, 0, True
    assert clock.now() == START + 30


def test_a_slow_drift_is_followed() -> None:
    world = World()
    clock = world.clock()
    for minute in range(1, 1000):
        world.boot, world.wrong = minute * 60, minute * 0.5
        assert clock.now() == pytest.approx(START + world.boot + world.wrong)


STEPS = st.lists(
    st.tuples(st.floats(0.5, 60), st.sampled_from([-HOUR, 0, HOUR, 24 * HOUR]), st.booleans()),
    max_size=30,
)


@given(steps=STEPS)
def test_no_jumps_matter(steps: list[tuple[float, float, bool]]) -> None:
    world = World()
    clock = world.clock()
    clock.now()
    for seconds, wrong, synchronised in steps:
        world.boot, world.wrong, world.synchronised = world.boot + seconds, wrong, synchronised
        assert clock.now() == pytest.approx(START + world.boot)


def test_the_machine_has_these_clocks() -> None:
    first = boot_seconds()
    assert 0 < first <= boot_seconds()
    assert is_synchronised() in {True, False}


def test_stamps() -> None:
    assert to_stamp(from_stamp("2026-11-21T20:00:00Z")) == "2026-11-21T20:00:00Z"
    assert to_stamp(None) is None
    with pytest.raises(ValueError, match="does not match"):
        from_stamp("2026-11-2")
