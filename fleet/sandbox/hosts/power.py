"""`shutdown` and its kin on one host: now, later, or not after all."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime

from fleet.sandbox.hosts.commands import Answer, Reply, Request, failed

_WHAT = {"-r": "reboot", "--reboot": "reboot", "-h": "poweroff", "-P": "poweroff", "-H": "poweroff"}


class Power:
    """Ends or restarts the host; `act` is told "poweroff" or "reboot" when it is time."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self._timer: asyncio.TimerHandle | None = None

    def _after(self, delay: float, what: str) -> None:
        self.cancel()
        # The stand-in must have its answer before the host goes down.
        self._timer = asyncio.get_running_loop().call_later(max(delay, 0.05), self._act, what)

    def cancel(self) -> None:
        """Forget a planned shutdown."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def now(self, what: str) -> None:
        """At once: "poweroff", "halt" or "reboot"."""
        self._after(0, "reboot" if what == "reboot" else "poweroff")

    async def shutdown(self, request: Request) -> Answer:
        """`shutdown [-h|-P|-r|-c] [now|+N|HH:MM]`; without a time, in one minute."""
        what, times = "poweroff", []
        for word in request.arguments:
            if word in {"-c", "--cancel"}:
                self.cancel()
                return Reply()
            if word.startswith("-"):
                what = _WHAT.get(word, what)
            else:
                times.append(word)
        try:
            delay = _delay(times[0] if times else "+1")
        except ValueError:
            return failed(request, f"Failed to parse time specification: {times[0]}")
        self._after(delay, what)
        return (
            Reply() if delay <= 0 else Reply(err=f"Shutdown scheduled in {delay:.0f} s: {what}.\n")
        )

    async def at_once(self, request: Request) -> Answer:
        """`poweroff`, `halt`, `reboot`."""
        self.now(request.name)
        return Reply()


def _delay(text: str) -> float:
    if text == "now":
        return 0
    if re.fullmatch(r"\+?\d+", text):
        return 60.0 * int(text.lstrip("+"))
    now = datetime.now().astimezone()
    hour, minute = map(int, text.split(":"))
    at = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return (at - now).total_seconds() % 86400
