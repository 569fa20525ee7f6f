"""A check that fails or hangs is unknown, with its reason, and holds nothing up."""

from __future__ import annotations

import threading
import time

from checks import Check, look
from rules import Finding


def test_failures_are_unknown_and_told() -> None:
    def fails() -> Finding:
        raise OSError(111, "Connection refused")

    def asserts() -> Finding:
        raise AssertionError

    assert look([Check("Jupyter", fails), Check("GPU", asserts)], 60) == [
        Finding("unknown", "Jupyter: [Errno 111] Connection refused"),
        Finding("unknown", "GPU: AssertionError"),
    ]


def test_one_that_hangs_is_waited_for_once_and_found_again() -> None:
    gate, looks = threading.Event(), []

    def hangs() -> Finding:
        looks.append(1)
        gate.wait(60)
        return Finding("quiet", "GPU 0 %")

    checks = [Check("GPU", hangs), Check("CPU", lambda: Finding("quiet", "CPU 1 %"))]
    expected = [Finding("unknown", "GPU: no answer in time"), Finding("quiet", "CPU 1 %")]
    assert look(checks, 0.5) == expected
    start = time.monotonic()
    assert look(checks, 60) == expected, "the others are looked at all the same"
    assert time.monotonic() - start < 30
    assert looks == [1], "never two at a time"
    gate.set()
    checks[0].finding(60)
    assert look(checks, 60)[0] == Finding("quiet", "GPU 0 %")
