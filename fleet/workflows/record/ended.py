"""Keeps whose environments ended on purpose, in Parameter Store: a watch from any machine leaves them ended."""

from __future__ import annotations

from collections.abc import Callable, Collection

from fleet.aws.notes import read_notes, write_note
from fleet.plan import tags
from fleet.plan.record.ended import EndedMembers, parse_ended
from fleet.workflows.context import Context

_NOTE = "resting"


def describe_ended(context: Context, fleet: str) -> EndedMembers:
    """Read who rests."""
    return parse_ended(read_notes(context.aws, fleet=fleet).get(_NOTE))


def record_ended(context: Context, fleet: str, members: Collection[str]) -> None:
    """Keep that these members' environments ended on purpose."""
    _keep(context, fleet, lambda found: found.with_more(members))


def forget_ended(context: Context, fleet: str, members: Collection[str]) -> None:
    """Forget that they rest: they are about to get an environment."""
    _keep(context, fleet, lambda found: found.without(members))


def _keep(context: Context, fleet: str, change: Callable[[EndedMembers], EndedMembers]) -> None:
    before = describe_ended(context, fleet)
    after = change(before)
    if after != before:
        owned = tags.fleet_tags(fleet)
        write_note(context.aws, fleet=fleet, name=_NOTE, text=after.text, tags=owned)
