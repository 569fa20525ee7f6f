"""Prints receipts: released and left by kind, then each thing that is left or kept, with its price and its command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import click

from fleet.cli.output import echo_table, usd
from fleet.plan.teardown.leftovers import Leftover
from fleet.plan.teardown.receipt import Receipt
from fleet.plan.teardown.resources import KINDS, Key, Kind


def echo_receipt(receipt: Receipt, *, again: str) -> None:
    """Print a receipt: the table on stdout, what needs somebody's attention on stderr."""
    echo_counts(receipt.released, receipt.remaining)
    for kind, ids in _by_kind(receipt.already_gone).items():
        click.echo(f"was gone already: {counted(len(ids), kind)} ({_some(ids)})", err=True)
    for kind, ids in _by_kind(receipt.foreign).items():
        told = f"{counted(len(ids), kind)} with this fleet's name that fleet did not make"
        click.echo(f"not touched: {told} ({_some(ids)})", err=True)
    echo_leftovers("kept", receipt.kept, color="yellow")
    echo_leftovers("still there", receipt.left, color="red")
    echo_unread(receipt.unread or {})
    if not receipt.clean:
        click.echo(f"run {again} again", err=True)


def released(receipt: Receipt) -> str:
    """Say in one line what a receipt has released."""
    each = [counted(len(ids), kind) for kind, ids in receipt.released.items() if ids]
    return ", ".join(each) or "nothing"


def echo_counts(
    released: Mapping[Kind, Sequence[str]], remaining: Mapping[Kind, Sequence[str]]
) -> None:
    """Print how many of each kind were released and how many are left."""
    rows = [
        (kind.replace("_", " "), str(len(released[kind])), str(len(remaining[kind])))
        for kind in KINDS
    ]
    echo_table(("RECEIPT", "RELEASED", "REMAINING"), rows)


def echo_leftovers(heading: str, found: Sequence[Leftover], *, color: str) -> None:
    """Print each with why it is there, its price a month and the command that removes it."""
    for one in found:
        what = f"{_singular(one.kind)} {one.resource_id}"
        click.secho(
            f"{heading}: {what}: {one.reason} ({monthly(one.monthly_usd)})", fg=color, err=True
        )
        click.echo(f"  {one.command}", err=True)


def echo_unread(unread: Mapping[Kind, str]) -> None:
    """Say of which kinds nothing is proven."""
    for kind, reason in unread.items():
        words = kind.replace("_", " ")
        click.secho(f"not looked at: {words}: {reason}", fg="red", err=True)


def monthly(value: Decimal | None) -> str:
    """Write a price per month for people."""
    return "costs nothing" if value == 0 else usd(value, per="month")


def counted(count: int, kind: Kind) -> str:
    """Write a number of things of a kind."""
    words = kind.replace("_", " ")
    return f"{count} {_singular(kind) if count == 1 else words}"


def _singular(kind: Kind) -> str:
    return kind.replace("_", " ").removesuffix("s")


def _by_kind(keys: Iterable[Key]) -> dict[Kind, list[str]]:
    found: dict[Kind, list[str]] = {}
    for kind, resource_id in keys:
        found.setdefault(kind, []).append(resource_id)
    return found


def _some(ids: Sequence[str]) -> str:
    shown = ", ".join(ids[:5])
    return shown if len(ids) <= 5 else f"{shown} and {len(ids) - 5} more"
