"""Two `up` of one fleet at the same moment, on one machine and on two: one fleet of the right size."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.sandbox.cloud.recording import serve
from tests.workflows import runs
from tests.workflows.conftest import spec_text
from tests.workflows.fleets import remaining
from tests.workflows.kills import BRISK, Yard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

SPEC = spec_text(members="[ana, ben]")
LOOK_CLOSER = 5
"""One round of so many ends with a third `up` and a `down`; after the others the cloud is emptied."""
SEED = 20261121
ROUNDS = [
    pytest.param(10, SEED, id="10-rounds"),
    pytest.param(25, SEED + 10, id="25-rounds-1_of_2", marks=pytest.mark.deep),
    pytest.param(25, SEED + 20, id="25-rounds-2_of_2", marks=pytest.mark.deep),
]
LEASE = {"PutParameter": 1, "DeleteParameters": 1}
"""A run that changes nothing takes the lease and gives it back."""


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    with serve(BRISK) as served:
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        yield Yard(served, tmp_path / "third", SPEC)


@pytest.mark.parametrize("machines", [1, 2])
@pytest.mark.parametrize(("rounds", "seed"), ROUNDS)
def test_two_at_the_same_time_end_with_one_fleet(
    yard: Yard, tmp_path: Path, machines: int, rounds: int, seed: int
) -> None:
    """Each comes at a random moment of the other's run: a number of calls, which no busy machine moves."""
    moments = random.Random(seed + machines)
    print(f"seed {seed + machines}")
    nothing = yard.standing()
    yard.up()
    whole = yard.standing()
    yard.down()
    caches = [tmp_path / "first", tmp_path / ("first" if machines == 1 else "second")]
    alone = partial(_alone, yard, caches[0])
    alone()  # reads prices, which are kept
    yard.down()
    calls = yard.calls_of(alone).total()
    yard.down()
    met = 0
    for number in range(rounds):
        moment = moments.randrange(calls)
        yard.calls.restart()
        first = runs.start(runs.up, yard.served, caches[0], SPEC)
        met += yard.calls.wait_for(moment, first)
        second = runs.start(runs.up, yard.served, caches[1], SPEC)
        codes = runs.ended(first), runs.ended(second)
        said = f"round {number}, {moment} calls apart"
        assert codes == (0, 0), said
        assert yard.calls.seen["CreateFleet"] == 1, said
        assert yard.standing() == whole, said
        if number % LOOK_CLOSER == 0:
            assert yard.changes_of(yard.up) == LEASE, said
            assert remaining(yard.down()) == {}, said
        yard.served.cloud.reset()
        assert yard.standing() == nothing, said
    print(f"{rounds} rounds, {met} of them met, {machines} machines: always one fleet of 2")
    assert met > rounds / 2


def _alone(yard: Yard, cache: Path) -> None:
    """An undisturbed run."""
    assert runs.ended(runs.start(runs.up, yard.served, cache, SPEC)) == 0
