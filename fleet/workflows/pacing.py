"""Keeps within EC2's request rates: a token bucket of our own, so that a thousand hosts do not meet EC2's.

Rates: EC2 user guide, "Request throttling for the Amazon EC2 API", collected 2026-11-21.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Bucket:
    """A bucket of `size` requests that fills by `per_second`. Safe from several threads."""

    def __init__(
        self, size: int, per_second: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._size = size
        self._per_second = per_second
        self._clock = clock
        self._left = float(size)
        self._at = clock()
        self._lock = threading.Lock()

    def take(self, sleep: Callable[[float], None]) -> None:
        """Take one request, after a sleep where the bucket is empty: who comes first goes first."""
        with self._lock:
            now = self._clock()
            self._left = min(self._left + (now - self._at) * self._per_second, self._size) - 1
            self._at = now
            wait = -self._left / self._per_second
        if wait > 0:
            sleep(wait)


def create_tags_bucket() -> Bucket:
    """CreateTags: 100 at once, 10 a second after that."""
    return Bucket(100, 10)
