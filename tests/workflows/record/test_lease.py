"""Leases in whole runs: one of a dead holder is broken and told, `down` takes over from an `up` that is at work."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fleet.aws.leases import create_lease, read_leases
from fleet.errors import FleetError
from fleet.workflows.context import Settings
from fleet.workflows.events import Event
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.record.lease import hold_lease
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.sandbox.cloud.recording import serve
from tests.workflows import runs
from tests.workflows.conftest import read, spec_text
from tests.workflows.fleets import remaining
from tests.workflows.kills import BRISK, Yard
from tests.workflows.points import Point, When

pytestmark = pytest.mark.slow

SPEC = spec_text(members="[ana, ben]")


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path / "here", SPEC)


def test_a_holder_that_died_elsewhere_is_waited_for_and_then_broken(
    yard: Yard, tmp_path: Path
) -> None:
    """It died after its CreateFleet took effect, before it heard of it: nothing is bought twice."""
    elsewhere = dataclasses.replace(yard, cache=tmp_path / "elsewhere")
    assert elsewhere.killed(runs.up, SPEC, Point("CreateFleet", 1), "after")
    assert len(read_leases(yard.context.aws, fleet="workshop")) == 1
    told: list[Event] = []
    hasty = dataclasses.replace(yard.context.deadlines, lease=0.2)
    context = dataclasses.replace(yard.context, deadlines=hasty, on_event=told.append)
    plan = prepare_up(context, read(SPEC), folder=Path())
    with pytest.raises(FleetError, match="workshop is still held by `fleet up` of") as refused:
        apply_up(context, plan)
    assert "`fleet down workshop`, which takes over" in refused.value.remedy
    assert any(e.step == "lease" and e.detail.startswith("waiting for `fleet up` of") for e in told)
    assert yard.standing()["instances"] == ["nobody's"] * 2

    later = dataclasses.replace(context, now=lambda: yard.context.now() + timedelta(minutes=7))
    apply_up(later, plan)
    broken = [e.detail for e in told if e.state == "note" and e.step == "lease"]
    assert len(broken) == 1
    assert broken[0].startswith("the lease of `fleet up` of ")
    assert broken[0].endswith(" is broken: it was not renewed for 7 minutes")
    assert yard.standing()["instances"] == ["ana", "ben"]
    assert len(yard.served.driver.booted) == 2
    assert read_leases(yard.context.aws, fleet="workshop") == {}


def test_a_lease_that_cannot_be_read_is_broken(yard: Yard) -> None:
    told: list[Event] = []
    context = dataclasses.replace(yard.context, on_event=told.append)
    assert create_lease(context.aws, fleet="workshop", number=1, text="?", tags={})
    apply_up(context, prepare_up(context, read(SPEC), folder=Path()))
    assert Event(None, "lease", "note", "the lease is broken: it cannot be read") in told
    assert read_leases(context.aws, fleet="workshop") == {}


def test_who_was_taken_over_leaves_the_next_ones_lease_alone(yard: Yard) -> None:
    """Numbers begin anew once all leases are gone."""
    context, other = yard.context, dataclasses.replace(yard.context, settings=_other(yard))
    with hold_lease(context, "workshop", account_id="1", command="up") as first:
        with hold_lease(other, "workshop", account_id="1", command="down", take_over=True):
            pass
        with hold_lease(other, "workshop", account_id="1", command="up") as second:
            assert not first.regain()
            first.release()
            second.renew()


@pytest.mark.parametrize("same_machine", [True, False])
@pytest.mark.parametrize(
    ("point", "when"),
    [
        (Point("CreateSecurityGroup", 1), "before"),
        (Point("ImportKeyPair", 1), "after"),
        (Point("CreateLaunchTemplate", 1), "before"),
        (Point("CreateLaunchTemplate", 1), "after"),
        (Point("CreateFleet", 1), "before"),
        (Point("CreateFleet", 1), "after"),
        (Point("CreateTags", 1), "before"),
    ],
    ids=lambda value: str(value).replace(" ", "-"),
)
def test_down_takes_over_from_a_living_up(
    yard: Yard, tmp_path: Path, point: Point, when: When, same_machine: bool
) -> None:
    """`up` is stopped in a call, `down` does all of its work meanwhile, then `up` goes on and ends."""
    cache = yard.cache if same_machine else tmp_path / "elsewhere"
    nothing = yard.standing()
    reached, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        reached.set()
        assert go_on.wait(60)

    plan = prepare_down(yard.context, "workshop")  # as of now: nothing of the fleet is there
    yard.calls.restart(point, when, hold)
    up = runs.start(runs.up_that_tells, yard.served, cache, SPEC)
    assert reached.wait(60)
    told: list[Event] = []
    receipt = apply_down(dataclasses.replace(yard.context, on_event=told.append), plan)
    go_on.set()
    code = runs.ended(up)
    yard.calls.settle()
    assert any("is broken: `fleet down` takes over" in event.detail for event in told)
    assert remaining(receipt) == {}
    assert yard.standing() == nothing
    if code:
        print((cache / "said").read_text())
    else:
        assert point.action in {"CreateFleet", "CreateTags"}


def _other(yard: Yard) -> Settings:
    return dataclasses.replace(yard.context.settings, cache_root=yard.cache.with_name("other"))
