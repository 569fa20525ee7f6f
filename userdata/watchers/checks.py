"""Runs checks so that none can end or hold up its watcher: one that fails or hangs is 'unknown', with its reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Callable

from rules import Finding


class Check:
    """One look at the machine, in a thread of its own, at most one at a time."""

    def __init__(self, name: str, look: Callable[[], Finding]) -> None:
        self._name, self._look = name, look
        self._thread = threading.Thread()
        self._finding = Finding("unknown", name)

    def start(self) -> bool:
        """Begin to look; False where the last look still hangs."""
        if self._thread.is_alive():
            return False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return True

    def finding(self, seconds: float) -> Finding:
        """Give what was found; waits for it at most so long."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            return Finding("unknown", f"{self._name}: no answer in time")
        return self._finding

    def _run(self) -> None:
        try:
            self._finding = self._look()
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the watcher
            self._finding = Finding(
                "unknown", f"{self._name}: {str(error) or type(error).__name__}"
            )


def look(checks: Iterable[Check], seconds: float) -> list[Finding]:
    """Run all checks side by side, at most so long; one that hangs since earlier is not waited for again."""
    end = time.monotonic() + seconds
    started = [(check, check.start()) for check in checks]
    return [
        check.finding(max(0.0, end - time.monotonic()) if fresh else 0.0)
        for check, fresh in started
    ]
