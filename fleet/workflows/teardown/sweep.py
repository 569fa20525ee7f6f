"""`sweep`: finds orphans in one region or all of them, then releases just what was shown, and looks again."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.aws.regions import describe_regions
from fleet.errors import AwsError
from fleet.plan.hardware.prices import known_prices
from fleet.plan.teardown.leftovers import Leftover, monthly_usd, types_to_price
from fleet.plan.teardown.resources import Inventory, Kind, Resource, by_kind
from fleet.plan.teardown.sweep import Orphan, plan_sweep
from fleet.side_by_side import each_side_by_side
from fleet.workflows.context import Context
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.teardown.down import describe_leftovers
from fleet.workflows.teardown.inventory import describe_inventory, look_again
from fleet.workflows.teardown.release import release
from fleet.workflows.teardown.release_attempts import Refused, ReleaseAttempts

_REGIONS_AT_ONCE = 8


@dataclass(frozen=True)
class Sweep:
    """What a sweep found, and what it could not look at: by region and kind (or the whole region)."""

    regions: tuple[str, ...]
    older_than: timedelta
    orphans: tuple[Orphan, ...]
    unread: tuple[str, ...]

    @property
    def goes(self) -> tuple[Orphan, ...]:
        """What is released on a yes."""
        return tuple(one for one in self.orphans if one.touch)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of what was found."""
        return {
            "regions": list(self.regions),
            "older_than_seconds": int(self.older_than.total_seconds()),
            "found": [one.as_json() for one in self.orphans],
            "unread": list(self.unread),
        }


@dataclass(frozen=True)
class SweepReceipt:
    """What a sweep released and left; `changed` tells what was not as it had been shown, and was not touched."""

    released: tuple[Resource, ...]
    left: tuple[Leftover, ...]
    changed: tuple[str, ...]

    def released_ids(self) -> dict[Kind, tuple[str, ...]]:
        """Give the ids that were released, by kind."""
        return by_kind(self.released)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of what was done."""
        return {
            "released": {kind: list(ids) for kind, ids in self.released_ids().items()},
            "left": [one.as_json() for one in self.left],
            "changed": list(self.changed),
        }


def prepare_sweep(context: Context, *, older_than: timedelta, all_regions: bool = False) -> Sweep:
    """Find the orphans of the region, or of all regions that are enabled. Changes nothing."""
    regions = describe_regions(context.aws) if all_regions else (context.aws.region,)
    contexts = _contexts(context, regions)
    now = context.now()
    looks = each_side_by_side(
        lambda one: _look(one, now, older_than), contexts, at_once=_REGIONS_AT_ONCE
    )
    if not all_regions:
        for _, _, error in looks:
            if error is not None:
                raise error
    orphans = tuple(
        priced
        for each, (found, _, _) in zip(contexts, looks, strict=True)
        for priced in _priced(each, found)
    )
    return Sweep(regions, older_than, orphans, tuple(u for _, unread, _ in looks for u in unread))


def apply_sweep(context: Context, sweep: Sweep) -> SweepReceipt:
    """Release what was shown and is still an orphan; never more."""
    regions = sorted({one.region for one in sweep.goes})
    contexts = _contexts(context, regions)

    def break_off() -> None:
        for each in contexts:
            each.interrupted.set()

    # Not waited for: after an interrupt each region ends at its next step.
    receipts = each_side_by_side(
        lambda one: _sweep_region(one, sweep),
        contexts,
        at_once=_REGIONS_AT_ONCE,
        wait_on_error=False,
        on_error=break_off,
    )
    return SweepReceipt(
        released=tuple(r for receipt in receipts for r in receipt.released),
        left=tuple(one for receipt in receipts for one in receipt.left),
        changed=tuple(text for receipt in receipts for text in receipt.changed),
    )


def _contexts(context: Context, regions: Sequence[str]) -> list[Context]:
    """One context per region: what breaks off in one goes on in the others."""
    return [
        dataclasses.replace(
            context, aws=context.aws.in_region(region), interrupted=threading.Event()
        )
        for region in regions
    ]


def _look(
    context: Context, now: datetime, older_than: timedelta
) -> tuple[tuple[Orphan, ...], tuple[str, ...], AwsError | None]:
    region = context.aws.region
    try:
        inventory = describe_inventory(context, None)
    except AwsError as error:
        return (), (f"{region}: {error}",), error
    orphans = plan_sweep(inventory, region=region, now=now, older_than=older_than)
    unread = (f"{region}: {kind}: {reason}" for kind, reason in inventory.unread.items())
    return orphans, tuple(unread), None


def _priced(context: Context, orphans: Sequence[Orphan]) -> tuple[Orphan, ...]:
    if not orphans:
        return ()
    types = types_to_price(one.resource for one in orphans)
    figures, trouble = read_figures(context, types=types, rates=True)
    prices = known_prices(figures, {}, trouble=trouble)
    return tuple(
        dataclasses.replace(one, monthly_usd=monthly_usd(one.resource, prices)) for one in orphans
    )


def _sweep_region(context: Context, sweep: Sweep) -> SweepReceipt:
    region = context.aws.region
    shown = {one.key: one for one in sweep.goes if one.region == region}
    inventory = describe_inventory(context, None)
    found = plan_sweep(inventory, region=region, now=context.now(), older_than=sweep.older_than)
    now = {one.key: one for one in found if one.touch}
    there = {(region, r.key) for r in inventory.resources if not r.ended}
    goes = [one.resource for key, one in now.items() if key in shown]
    changed = [_changed(one, there=key in there) for key, one in shown.items() if key not in now]
    known = {one.key for one in sweep.orphans}
    changed += [
        f"{_name(one)} is an orphan since: not touched"
        for key, one in now.items()
        if key not in known
    ]
    attempts = ReleaseAttempts(context)
    release(attempts, goes, fleet=None)
    left = _left(attempts, goes)
    reasons = {r.key: Refused(f"still {r.state or 'there'}") for r in left}
    return SweepReceipt(
        released=tuple(r for r in goes if r not in left),
        left=describe_leftovers(context, left, {**reasons, **attempts.refused}),
        changed=tuple(changed),
    )


def _left(attempts: ReleaseAttempts, resources: Sequence[Resource]) -> tuple[Resource, ...]:
    if not resources:
        return ()

    def there(inventory: Inventory) -> tuple[Resource, ...]:
        keys = {r.key for r in inventory.resources if not r.ended}
        return tuple(r for r in resources if r.key in keys)

    def settled(inventory: Inventory) -> bool:
        return all(r.key in attempts.refused for r in there(inventory))

    return there(look_again(attempts.context, None, settled=settled))


def _changed(one: Orphan, *, there: bool) -> str:
    return f"{_name(one)} {'is needed again: not touched' if there else 'has gone meanwhile'}"


def _name(one: Orphan) -> str:
    kind = one.resource.kind.replace("_", " ").removesuffix("s")
    return f"{one.region}: {kind} {one.resource.resource_id}"
