"""Counts the calls of AWS clients."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.workflows.conftest import World


def count_calls(world: World) -> Counter[str]:
    """Count the calls of clients that are made from now on, by name. A page is a call."""
    calls: Counter[str] = Counter()

    def called(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    world.context.aws.session.events.register("before-call", called)
    return calls
