"""What is done in the two minutes of a Spot notice: the person's ~/on-interruption, then copies to S3.

Both run as the person, one after the other, in a thread, and both end before the notice does.
"""

from __future__ import annotations

import json
import threading
from typing import Callable

from person import Person

_HOOK = "on-interruption"
_HOOK_SECONDS = 90.0
_HOOK_SHARE, _SYNC_SHARE = 0.75, 0.95  # of the notice: a late hook leaves time to copy


class Interruption:
    """`hook` and `sync` are None (there is none), "running", "done", "timed out" or "failed: ..."."""

    def __init__(self, person: Person, sync: str, boot: Callable[[], float]) -> None:
        self._person, self._sync, self._boot = person, sync, boot
        self.hook: str | None = None
        self.sync: str | None = None
        self.changed = threading.Event()

    def start(self, seconds_left: float) -> None:
        """Begin, with so many seconds until the instance ends."""
        if (self._person.home / _HOOK).exists():
            self.hook = "running"
        threading.Thread(target=self._run, args=(self._boot(), seconds_left), daemon=True).start()

    def _run(self, start: float, seconds: float) -> None:
        if self.hook:
            limit = min(_HOOK_SECONDS, seconds * _HOOK_SHARE)
            self.hook = self._person.run([str(self._person.home / _HOOK)], seconds=limit)
            self.changed.set()
        if self._sync:
            self.sync = "running"
            self.changed.set()
            self.sync = self._copy(start + seconds * _SYNC_SHARE)
            self.changed.set()

    def _copy(self, end: float) -> str:
        """Copy every folder, whatever became of the others; gives the first failure's word."""
        try:
            pairs = [(str(each["from"]), str(each["to"])) for each in json.loads(self._sync)]
        except (ValueError, TypeError, KeyError):
            return "failed: FLEET_SYNC is not readable"
        words = []
        for source, target in pairs:
            folder = self._person.home / source[2:] if source.startswith("~/") else source
            command = ["aws", "s3", "sync", "--only-show-errors", str(folder), target]
            words.append(self._person.run(command, seconds=max(0.0, end - self._boot())))
        return next((word for word in words if word != "done"), "done")
