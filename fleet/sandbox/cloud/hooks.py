"""What a test does at the n-th call to a cloud: before it takes effect, or after, before the answer.

In-process only; what a person can switch on from a terminal is in `faults.py`. An act may raise
`ConnectionCut`, so that the caller gets no answer, or kill the caller.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.gate import ConnectionCut

Before = Callable[[Call], ApiError | None]
After = Callable[[Call, Answer], None]


_KEPT = 10_000
"""So many calls are kept, without their bodies: a sandbox may run for weeks."""


class Hooks:
    """Numbers the calls of one cloud from 1 and keeps the latest. Calls at the same time are numbered
    as they come.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._calls: deque[Call] = deque(maxlen=_KEPT)
        self._before: dict[int, Before] = {}
        self._after: dict[int, After] = {}

    @property
    def calls(self) -> list[Call]:
        """The calls so far, without their bodies, whatever became of them."""
        with self._lock:
            return list(self._calls)

    def before(self, number: int, act: Before) -> None:
        """Let `act` answer call `number` with an error, or do something before it takes effect."""
        self._before[number] = act

    def after(self, number: int, act: After) -> None:
        """Let `act` do something once call `number` took effect. A refused call has no effect."""
        self._after[number] = act

    def restart(self) -> None:
        """Forget every act and every call; the next call is the first."""
        with self._lock:
            self._count = 0
            self._calls.clear()
            self._before.clear()
            self._after.clear()

    def arrived(self, call: Call) -> Call:
        """The call with its number."""
        with self._lock:
            self._count += 1
            numbered = replace(call, number=self._count)
            self._calls.append(replace(numbered, body=b""))
        return numbered

    def check(self, call: Call) -> ApiError | None:
        """The gate's check."""
        act = self._before.get(call.number)
        return None if act is None else act(call)

    def witness(self, call: Call, answer: Answer) -> None:
        """The gate's witness."""
        act = self._after.get(call.number)
        if act is not None:
            act(call, answer)


def cut(*_: object) -> None:
    """An act: the caller gets no answer."""
    raise ConnectionCut
