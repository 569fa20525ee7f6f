"""Attempts to release things: what AWS refuses is written down with its reason, and the rest goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fleet.errors import AwsError, CredentialsError, EndpointError
from fleet.plan.teardown.plan import MUTATING_BURST, MUTATING_PER_SECOND
from fleet.plan.teardown.resources import Key, Resource
from fleet.workflows.context import Context

T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE, _GROWTH = 0.5, 5.0, 1.5


@dataclass(frozen=True)
class Refused:
    """Why something was not released; `code` is AWS's, where it gave one."""

    reason: str
    code: str = ""


class ReleaseAttempts:
    """The book of one release. Safe from several threads: each writes of its own resources."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.refused: dict[Key, Refused] = {}

    def attempt(self, resources: Sequence[Resource], act: Callable[[], None]) -> None:
        """Do one thing that releases these resources. Raises only where AWS cannot be asked at all."""
        if not resources:
            return
        try:
            act()
        except (CredentialsError, EndpointError):
            raise
        except AwsError as error:
            for one in resources:
                self.refuse(one, error.message, code=error.code)

    def refuse(self, resource: Resource, reason: str, *, code: str = "") -> None:
        """Write down why something stays, and tell it."""
        self.refused[resource.key] = Refused(reason, code)
        step = resource.kind.replace("_", " ")
        self.context.tell(None, step, "failed", f"{resource.resource_id}: {reason}")


def pauses(context: Context) -> Iterator[float]:
    """Give the seconds to sleep between looks, longer each time; ends when the run is interrupted."""
    pause = _FIRST_PAUSE
    while not context.interrupted.is_set():
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def paced(context: Context, items: Sequence[T]) -> Iterator[T]:
    """Give things one by one as fast as EC2's bucket of changing calls allows; ends when interrupted."""
    for index, item in enumerate(items):
        if context.interrupted.is_set():
            return
        if index >= MUTATING_BURST:
            context.sleep(1 / MUTATING_PER_SECOND)
        yield item
