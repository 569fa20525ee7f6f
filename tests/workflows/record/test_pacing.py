"""A token bucket: what may go at once, and what waits how long."""

from __future__ import annotations

from fleet.workflows.pacing import Bucket


class Time:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    time = Time()
    bucket = Bucket(3, 10, clock=lambda: time.now)
    for _ in range(6):
        bucket.take(time.sleep)
    assert time.slept == [0.1, 0.2, 0.3]


def test_it_fills_up_to_its_size() -> None:
    time = Time()
    bucket = Bucket(3, 10, clock=lambda: time.now)
    for _ in range(3):
        bucket.take(time.sleep)
    time.now = 60.0
    for _ in range(4):
        bucket.take(time.sleep)
    assert time.slept == [0.1]
