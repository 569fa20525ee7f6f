"""Options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from fleet.cli.session import Globals
from fleet.errors import FleetError, UsageError

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def output_option(*formats: str) -> Callable[[F], F]:
    """Add `-o/--output`; the first format is the default."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="Form of the result on stdout.",
    )


yes_option = click.option("-y", "--yes", is_flag=True, help="Do not ask.")


def confirm(question: str, *, yes: bool, options: Globals) -> None:
    """Ask before something that costs or destroys. In the sandbox nothing does, so nothing is asked.

    Raises UsageError where nobody can answer, FleetError on a no.
    """
    if yes or options.sandbox:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to confirm (stdin is no terminal)", remedy="pass --yes")
    if not click.confirm(question, err=True):
        raise FleetError("not confirmed", remedy="nothing was changed")


def parse_flag(flag: str, text: str | None, parse: Callable[[str], T]) -> T | None:
    """Read the value of a flag by the rule of the spec; None stays None. Raises UsageError."""
    from fleet.spec.refusal import RefusedError

    try:
        return None if text is None else parse(text)
    except RefusedError as refused:
        (objection,) = refused.objections
        raise UsageError(f"{flag} {objection.message}", remedy=objection.remedy) from refused
