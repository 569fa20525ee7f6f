"""The log of a bake: every step, and every line that its hosts print, in a file that its owner alone reads."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.assets.private_files import begin_private
from fleet.errors import FleetError
from fleet.workflows.context import Context
from fleet.workflows.events import OUTPUT, Event


@contextmanager
def logged(context: Context, recipe: str) -> Iterator[tuple[Context, Path]]:
    """Give a context whose events are written down, and the file. Raises FleetError where that cannot be written."""
    root = context.settings.cache_root
    path = root / "bakes" / f"{recipe}-{context.now():%Y%m%dT%H%M%SZ}.log"
    try:
        file = begin_private(path)
    except OSError as error:
        raise FleetError(
            f"{path} cannot be written ({error.strerror})",
            remedy="set FLEET_CACHE_DIR to a folder of yours",
        ) from error
    turn = threading.Lock()

    def take(event: Event) -> None:
        with turn:
            file.write(f"{context.now():%Y-%m-%dT%H:%M:%SZ} {_words(event)}\n")
        context.on_event(event)

    with file:
        yield dataclasses.replace(context, on_event=take), path


def _words(event: Event) -> str:
    if event.step == OUTPUT:
        return event.detail
    who = f"[{event.member}] " if event.member else ""
    return f"== {who}{event.step} {event.state} {event.detail}".rstrip()
