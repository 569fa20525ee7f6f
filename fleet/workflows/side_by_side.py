"""The same work on several things side by side; an interrupt ends what has not begun, and tells the rest to end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fleet.workflows.context import Context

Item = TypeVar("Item")
Done = TypeVar("Done")


def side_by_side(
    context: Context, act: Callable[[Item], Done], items: Sequence[Item], *, at_once: int
) -> tuple[Done, ...]:
    """Give what each came to, in their order. Broken off it sets `context.interrupted`, and does not wait."""
    pool = ThreadPoolExecutor(min(len(items), at_once) or 1)
    try:
        return tuple(pool.map(act, items))
    except BaseException:
        context.interrupted.set()
        raise
    finally:
        # Not waited for: after an interrupt the work ends at its next step.
        pool.shutdown(wait=False, cancel_futures=True)
