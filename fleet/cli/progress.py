"""Draws a workflow's events on stderr: a live line per member on a terminal, plain lines elsewhere.

stdout stays the result's alone.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from fleet.workflows.events import OUTPUT, Event, OnEvent

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_MARKS = {"running": "…", "done": "✓", "failed": "✗", "note": "·"}
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_STYLES = {"running": "", "done": "green", "failed": "red", "note": "dim"}


@contextmanager
def progress() -> Iterator[OnEvent]:
    """Give the callback that draws events."""
    if sys.stderr.isatty():
        with _live() as on_event:
            yield on_event
    else:
        yield _Plain().take


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show on a terminal that something without steps of its own goes on."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


class _Plain:
    """One line per event that says something new."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def take(self, event: Event) -> None:
        seconds = time.monotonic() - self._start
        if event.step == OUTPUT:
            click.echo(f"{seconds:6.1f}s   | {event.detail}", err=True)
            return
        who = f"[{event.member}] " if event.member else ""
        detail = f": {event.detail}" if event.detail else ""
        click.echo(f"{seconds:6.1f}s {_MARKS[event.state]} {who}{event.step}{detail}", err=True)


class _Board:
    """The members' current steps. Notes and the fleet's own steps are printed above and stay."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._current: dict[str, Event] = {}

    def take(self, event: Event) -> None:
        if event.member is None or event.state in {"note", "failed"}:
            self._console.print(_line(event), highlight=False)
        if event.member is not None and event.state != "note":
            with self._lock:
                self._current[event.member] = event

    def __rich__(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        with self._lock:
            current = list(self._current.values())
        for event in current:
            mark: RenderableType = Text(_MARKS[event.state], style=_STYLES[event.state])
            if event.state == "running":
                mark = _FRAMES[int(time.monotonic() * 10) % len(_FRAMES)]
            grid.add_row(
                mark, Text(event.member or ""), Text(event.step), Text(event.detail, "dim")
            )
        return grid


@contextmanager
def _live() -> Iterator[OnEvent]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    board = _Board(console)
    with Live(board, console=console, refresh_per_second=10, transient=True):
        yield board.take


def _line(event: Event) -> RenderableType:
    from rich.text import Text

    if event.step == OUTPUT:
        return Text(f"  | {event.detail}", style="dim")
    who = f"[{event.member}] " if event.member else ""
    detail = f": {event.detail}" if event.detail else ""
    return Text(f"{_MARKS[event.state]} {who}{event.step}{detail}", style=_STYLES[event.state])
