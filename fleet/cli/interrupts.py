"""Ctrl-C: the first one lets a command say what stands, a second one leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from fleet.errors import EXIT_INTERRUPTED

_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def interruptible(farewell: str) -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C; at the second one print `farewell` and leave, exit 130."""

    def leave(_number: int, _frame: FrameType | None) -> NoReturn:
        _say(farewell, before=_SHOW_CURSOR if sys.stderr.isatty() else "")
        os._exit(EXIT_INTERRUPTED)

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        signal.signal(signal.SIGINT, leave)
        _say("stopping; Ctrl-C again leaves at once")
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _say(text: str, *, before: str = "") -> None:
    """Write past every buffer and lock: a signal may come while another part of the program holds them."""
    os.write(sys.stderr.fileno(), f"{before}\nfleet: {text}\n".encode())
