"""Tries again what AWS did not get to, and what it refuses because it does not know yet what was made a moment ago.

boto3's own retries do not do here: they count a lack of capacity among the faults of the server.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from fleet.errors import AwsError, EndpointError
from fleet.plan.reactions import Kind, reaction_to
from fleet.workflows.context import Context

T = TypeVar("T")

FIRST_WAIT = 0.5
_MOST_SENDINGS = 6
"""How often one request is sent: about half a minute of waiting in all."""
_LONGEST_WAIT = 5.0
_PASSING = frozenset({"again", "settling"})


def send_again_if_lost(context: Context, send: Callable[[], T]) -> T:
    """Send a request, again where AWS did not get to it or its answer was lost. Sent twice it must act once."""
    wait = FIRST_WAIT
    for sending in range(1, _MOST_SENDINGS + 1):
        try:
            return send()
        except AwsError as error:
            passing = may_have_taken_effect(error) or kind_of(error) in _PASSING
            if not passing or sending == _MOST_SENDINGS or context.interrupted.is_set():
                raise
            context.tell(None, "launch", "note", f"{error.message}: sent again in {wait:.0f} s")
        context.sleep(wait * random.uniform(0.7, 1.0))  # noqa: S311 - jitter
        wait *= 2
    raise AssertionError("unreachable")


def once_known(context: Context, act: Callable[[], T]) -> T:
    """Do something to what was made a moment ago, again while AWS does not know it; up to the deadline."""
    deadline, wait = context.clock() + context.deadlines.visible, FIRST_WAIT
    while True:
        try:
            return act()
        except AwsError as error:
            late = context.clock() + wait >= deadline or context.interrupted.is_set()
            if kind_of(error) != "settling" or late:
                raise
        context.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


def made_or_ours(
    context: Context, make: Callable[[], T], find: Callable[[], T | None], *, name: str
) -> T:
    """Make something. Where its name is taken, it may be by an answer that was lost: then `find` gives it.

    Raises AwsError where what has the name is not the fleet's.
    """
    try:
        return make()
    except AwsError as error:
        if kind_of(error) != "taken":
            raise
        taken = error
    deadline = context.clock() + context.deadlines.look
    while (found := find()) is None:
        if context.clock() >= deadline:
            raise AwsError(
                f"{name} is there already, and was not made for this fleet ({taken.code})",
                remedy="give the fleet another name, or remove what has this one",
                code=taken.code,
                said=taken.said,
            ) from taken
        context.sleep(FIRST_WAIT)
    return found


def kind_of(error: AwsError) -> Kind | None:
    """Give the kind of reaction that an error asks for, None where nothing is known of it."""
    reaction = reaction_to(error.code, error.said)
    return reaction.kind if reaction else None


def may_have_taken_effect(error: AwsError) -> bool:
    """Whether a request may have taken effect although it was answered with this, or not at all."""
    return isinstance(error, EndpointError) or kind_of(error) == "unsure"
