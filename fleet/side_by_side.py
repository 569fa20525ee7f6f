"""Work side by side. Takes functions; gives what each of them comes to. The only place that makes pools of threads.

Bounded; no result is lost; an interrupt or an error ends what has not begun. It knows neither AWS nor hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Generic, ParamSpec, TypeVar

Given = ParamSpec("Given")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Answer(Generic[Result]):
    """What a function comes to."""

    def __init__(self, future: Future[Result]) -> None:
        self._future = future

    def __call__(self) -> Result:
        """Wait for the result. Raises what the function raised."""
        return self._future.result()

    @property
    def there(self) -> bool:
        """Whether the function has ended."""
        return self._future.done()

    def wait(self, seconds: float) -> None:
        """Wait until the function has ended, but not longer than `seconds`. Raises nothing of the function's."""
        wait([self._future], timeout=seconds)


class SideBySide:
    """Several functions at the same time, as `side_by_side` makes it. May be used from any thread."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def ask(
        self, act: Callable[Given, Result], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Answer[Result]:
        """Begin one function, as soon as there is room for it."""
        return Answer(self._pool.submit(act, *args, **kwargs))

    def each(self, act: Callable[[Item], Result], items: Iterable[Item]) -> tuple[Result, ...]:
        """Do the same to each item. Gives the results in the items' order, or raises the first error in that order."""
        return tuple(self._pool.map(act, items))


def _nothing() -> None:
    """What most have to tell their functions when they break off."""


@contextmanager
def side_by_side(
    at_once: int, *, wait_on_error: bool = True, on_error: Callable[[], object] = _nothing
) -> Iterator[SideBySide]:
    """Run at most `at_once` functions at the same time; the block ends when all that it began have ended.

    What the block raises, a KeyboardInterrupt too, goes on to the caller, and what has not begun never begins. What
    has begun is waited for; with `wait_on_error=False` it is left to end by itself, and `on_error`, which is called
    first, tells it to.
    """
    pool = ThreadPoolExecutor(at_once)
    try:
        yield SideBySide(pool)
    except BaseException:
        try:
            on_error()
        finally:
            pool.shutdown(wait=wait_on_error, cancel_futures=True)
        raise
    pool.shutdown()


def each_side_by_side(
    act: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    at_once: int,
    wait_on_error: bool = True,
    on_error: Callable[[], object] = _nothing,
) -> tuple[Result, ...]:
    """Do the same to each item. Gives the results in the items' order; bounds and errors are as in `side_by_side`."""
    with side_by_side(at_once, wait_on_error=wait_on_error, on_error=on_error) as pool:
        return pool.each(act, items)
