"""`down`: takes a fleet, or members of it, away, waits for EC2 to say terminated, looks again over every kind.

Touches only what carries the fleet's tag and our mark. Run again after a crash it goes on with what is left.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from functools import partial

from fleet.aws.identity import describe_identity
from fleet.aws.volumes import keep_volumes as keep_volumes_of
from fleet.aws.volumes import mark_kept
from fleet.plan import tags
from fleet.plan.hardware.prices import known_prices
from fleet.plan.teardown.leftovers import Leftover, leftover, types_to_price
from fleet.plan.teardown.plan import Teardown, plan_teardown
from fleet.plan.teardown.receipt import Receipt
from fleet.plan.teardown.resources import Inventory, Key, Resource, by_kind, releasable
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.record.ended import record_ended
from fleet.workflows.record.lease import HeldLease, hold_lease
from fleet.workflows.teardown.inventory import describe_inventory, look_again
from fleet.workflows.teardown.release import release
from fleet.workflows.teardown.release_attempts import Refused, ReleaseAttempts, paced

_SHARED = frozenset({"security_groups", "key_pairs", "launch_templates", "parameters"})


def prepare_down(
    context: Context, fleet: str, *, members: Sequence[str] = (), keep_volumes: bool = False
) -> Teardown:
    """Observe, and decide what goes. Changes nothing. Raises NothingFoundError for an unknown member."""
    return plan_teardown(
        describe_inventory(context, fleet),
        fleet=fleet,
        region=context.aws.region,
        members=members,
        keep_volumes=keep_volumes,
    )


def apply_down(context: Context, teardown: Teardown, *, held: HeldLease | None = None) -> Receipt:
    """Take away what was planned, then look again. What could not go stands under `left`.

    A whole fleet goes whoever is at work on it: an `up` elsewhere launches nothing more. For single members that
    is waited for. Who holds the fleet's lease already hands it in.
    """
    attempts = ReleaseAttempts(context)
    account_id = describe_identity(context.aws).account_id
    asked = hold_lease(
        context,
        teardown.fleet,
        account_id=account_id,
        command="down",
        take_over=teardown.whole,
    )
    with nullcontext(held) if held else asked as lease:
        if teardown.members and any(r.live for r in teardown.release):
            # First, so that no watch brings them back.
            record_ended(context, teardown.fleet, teardown.members)
        if lease.broke_one and teardown.whole:
            teardown = _with_what_was_made(context, teardown)
        newcomers = _release(attempts, teardown)
    context.tell(None, "look again", "running")
    receipt = _look_again(attempts, teardown, newcomers)
    context.tell(None, "look again", "done")
    if teardown.whole and receipt.clean:
        context.cache(account_id, teardown.fleet).delete()
    return receipt


def _with_what_was_made(context: Context, teardown: Teardown) -> Teardown:
    """Add what the run that was taken over had made since the plan, but instances, which show by themselves later."""
    known = {r.key for r in (*teardown.release, *teardown.keep)}
    leases = tags.lease_path(teardown.fleet)
    made = tuple(
        r
        for r in prepare_down(context, teardown.fleet).release
        if r.key not in known
        and r.kind in _SHARED
        and not (r.kind == "parameters" and r.resource_id.startswith(leases))
    )
    return dataclasses.replace(teardown, release=(*teardown.release, *made))


def _release(attempts: ReleaseAttempts, teardown: Teardown) -> tuple[Resource, ...]:
    _keep(attempts, teardown)
    goes = [r for r in teardown.release if r.key not in attempts.refused]
    return release(attempts, goes, fleet=teardown.fleet, newcomers=teardown.whole)


def _keep(attempts: ReleaseAttempts, teardown: Teardown) -> None:
    """Let the volumes that are to stay outlive their instances, before any of those ends.

    The tag comes first: killed anywhere, a volume that stays says why. An instance whose volumes cannot
    be kept is written down as refused: it must not be terminated.
    """
    live = [r for r in teardown.release if r.live]
    held = [(i, [v for v in teardown.keep if v.instance_id == i.resource_id]) for i in live]
    for instance, volumes in paced(attempts.context, [each for each in held if each[1]]):
        attempts.attempt([instance], partial(_keep_of, attempts.context, instance, volumes))


def _keep_of(context: Context, instance: Resource, volumes: Sequence[Resource]) -> None:
    mark = {tags.KEPT: tags.expiry_text(context.now())}
    if instance.member:
        mark |= {tags.MEMBER: instance.member}
    mark_kept(context.aws, volume_ids=[v.resource_id for v in volumes], tags=mark)
    if ending := [v.device for v in volumes if v.ends_with_instance]:
        keep_volumes_of(context.aws, instance_id=instance.resource_id, devices=ending)


def _look_again(
    attempts: ReleaseAttempts, teardown: Teardown, newcomers: Sequence[Resource]
) -> Receipt:
    """Look over all kinds; what nobody refused and still shows is looked for again."""

    def settled(inventory: Inventory) -> bool:
        return all(r.key in attempts.refused for r in _left(inventory, teardown))

    inventory = look_again(attempts.context, teardown.fleet, settled=settled)
    return _receipt(attempts, teardown, newcomers, inventory)


def _left(inventory: Inventory, teardown: Teardown) -> tuple[Resource, ...]:
    planned = {r.key for r in teardown.release}
    kept = {r.key for r in teardown.keep}
    return tuple(
        r
        for r in releasable(inventory)
        if r.key not in kept and (teardown.whole or r.key in planned)
    )


def _receipt(
    attempts: ReleaseAttempts,
    teardown: Teardown,
    newcomers: Sequence[Resource],
    inventory: Inventory,
) -> Receipt:
    left = _left(inventory, teardown)
    there = {r.key for r in left}
    kept_keys = {r.key for r in teardown.keep}
    kept = tuple(r for r in inventory.resources if r.key in kept_keys)
    reasons = {r.key: Refused("was made meanwhile") for r in left}
    reasons |= {r.key: Refused(f"still {r.state or 'there'}") for r in teardown.release}
    reasons |= {r.key: Refused("kept on request") for r in kept}
    known = describe_leftovers(attempts.context, (*left, *kept), {**reasons, **attempts.refused})
    gone = (r for r in (*teardown.release, *newcomers) if r.key not in there)
    return Receipt(
        fleet=teardown.fleet,
        region=teardown.region,
        released=by_kind(r for r in gone if r.kind not in inventory.unread),
        left=tuple(one for one in known if (one.kind, one.resource_id) in there),
        kept=tuple(one for one in known if (one.kind, one.resource_id) in kept_keys),
        already_gone=teardown.already_gone,
        foreign=tuple(r.key for r in teardown.foreign),
        unread=inventory.unread,
    )


def describe_leftovers(
    context: Context, resources: Iterable[Resource], reasons: dict[Key, Refused]
) -> tuple[Leftover, ...]:
    """Describe what is left with its price a month; prices are read only where something is."""
    found = tuple(resources)
    if not found:
        return ()
    figures, trouble = read_figures(context, types=types_to_price(found), rates=True)
    prices = known_prices(figures, {}, trouble=trouble)
    return tuple(
        leftover(
            one,
            reason=reasons[one.key].reason,
            code=reasons[one.key].code,
            prices=prices,
            region=context.aws.region,
        )
        for one in found
    )
