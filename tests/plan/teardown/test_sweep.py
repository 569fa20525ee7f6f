"""What a sweep takes for an orphan, case by case: never what is at work, in the making, kept, or somebody else's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fleet.plan import tags
from fleet.plan.teardown.resources import Inventory, Kind, Resource, with_instance_tags
from fleet.plan.teardown.sweep import Orphan, age_text, plan_sweep

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def thing(
    kind: Kind,
    resource_id: str,
    *,
    hours: float | None = 48,
    expires: float | None = None,
    state: str = "",
    instance: str | None = None,
    more: tuple[str, str] | None = None,
) -> Resource:
    """A thing of fleet `room`, made so many hours ago, expiring in so many."""
    named = tags.fleet_tags("room") | dict([more] if more else [])
    if expires is not None:
        named[tags.EXPIRES_AT] = tags.expiry_text(NOW + timedelta(hours=expires))
    made = None if hours is None else NOW - timedelta(hours=hours)
    return Resource(kind, resource_id, named, state=state, made_at=made, instance_id=instance)


def sweep(*found: Resource, older_than: timedelta = DAY) -> tuple[Orphan, ...]:
    return plan_sweep(
        Inventory(with_instance_tags(found)), region="r", now=NOW, older_than=older_than
    )


def ids(orphans: tuple[Orphan, ...]) -> list[str]:
    return [one.resource.resource_id for one in orphans if one.touch]


GROUP = thing("security_groups", "sg", hours=None)
KEY = thing("key_pairs", "key")
TEMPLATE = thing("launch_templates", "lt")
SECRET = thing("parameters", "/fleet/room/secret")
ALIVE = thing("instances", "i-1", state="running", expires=8)
DISK = thing("volumes", "vol-1", state="in-use", instance="i-1")
CARD = thing("network_interfaces", "eni-1", hours=None, state="in-use", instance="i-1")
WHOLE = (ALIVE, DISK, CARD, GROUP, KEY, TEMPLATE, SECRET)


def test_a_fleet_at_work_has_no_orphans() -> None:
    assert sweep(*WHOLE) == ()
    stopped = thing("instances", "i-1", state="stopped", expires=8)
    assert sweep(stopped, *WHOLE[1:]) == ()
    assert sweep(*WHOLE, older_than=timedelta(0)) == ()


def test_a_fleet_past_its_expiry_goes_whole_and_at_any_age() -> None:
    over = thing("instances", "i-1", hours=1, state="running", expires=-2)
    found = sweep(over, *WHOLE[1:])
    assert len(ids(found)) == len(WHOLE)
    assert {one.reason for one in found} == {"the fleet expired 2h ago"}


def test_an_expired_instance_among_others_goes_alone() -> None:
    over = thing("instances", "i-2", state="running", expires=-30)
    disk = thing("volumes", "vol-2", state="in-use", instance="i-2")
    assert ids(sweep(*WHOLE, over, disk)) == ["i-2", "vol-2"]


def test_a_half_made_fleet_goes_when_it_is_old() -> None:
    assert ids(sweep(GROUP, KEY, TEMPLATE, SECRET)) == ["sg", "key", "lt", "/fleet/room/secret"]
    young = thing("parameters", "/fleet/room/new", hours=1)
    assert sweep(GROUP, KEY, TEMPLATE, young) == (), "it is being made, or mended"
    assert len(ids(sweep(GROUP, KEY, young, older_than=timedelta(0)))) == 3


def test_a_half_made_fleet_past_its_expiry_goes_when_it_is_young() -> None:
    template = thing("launch_templates", "lt", hours=1, expires=-0.5)
    assert ids(sweep(GROUP, template)) == ["sg", "lt"]


def test_no_age_is_shown_and_not_touched() -> None:
    (alone,) = sweep(GROUP)
    assert (alone.touch, alone.age) == (False, None)
    assert "`fleet down room`" in alone.reason
    assert ids(sweep(GROUP, older_than=timedelta(0))) == ["sg"]


def test_orphans_of_a_fleet_at_work() -> None:
    loose = thing("volumes", "vol-9", state="available")
    fresh = thing("volumes", "vol-8", state="available", hours=1)
    baked = thing("snapshots", "snap-9", more=(tags.STATUS, "candidate"))
    good = thing("snapshots", "snap-8", more=(tags.STATUS, tags.STABLE))
    assert ids(sweep(*WHOLE, loose, fresh, baked, good)) == ["vol-9", "snap-9"]


def test_what_is_kept_on_purpose_is_shown_only() -> None:
    kept = thing("volumes", "vol-9", state="available", more=(tags.KEPT, "2026-11-01T00:00:00Z"))
    (one,) = sweep(kept)
    assert not one.touch
    assert "--keep-volumes" in one.reason
    assert ids(sweep(kept, GROUP, KEY)) == ["sg", "key"]


def test_instances_without_secrets_are_what_a_teardown_left() -> None:
    assert ids(sweep(ALIVE, DISK, GROUP)) == ["i-1", "vol-1", "sg"]
    young = thing("instances", "i-1", hours=1, state="running", expires=8)
    assert sweep(young, DISK, GROUP) == ()


def test_what_others_made_or_use_is_left_alone() -> None:
    foreign = Resource("volumes", "vol-7", {tags.FLEET: "room"}, made_at=NOW - 9 * DAY)
    lent = thing("volumes", "vol-6", state="in-use", instance="i-foreign")
    assert sweep(foreign, lent) == ()


def test_what_is_ending_already_is_left_to_end() -> None:
    ending = thing("instances", "i-1", state="shutting-down", expires=8)
    assert ids(sweep(ending, *WHOLE[1:])) == ["sg", "key", "lt", "/fleet/room/secret"]


def test_without_a_look_at_instances_nothing_is_an_orphan() -> None:
    blind = Inventory((GROUP, KEY), {"instances": "not allowed"})
    assert plan_sweep(blind, region="r", now=NOW, older_than=DAY) == ()


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5s"), (90, "1m"), (7200, "2h"), (200000, "2d"), (None, "unknown")]
)
def test_ages(seconds: int | None, text: str) -> None:
    assert age_text(None if seconds is None else timedelta(seconds=seconds)) == text
