"""`up` and `down` killed (SIGKILL) at every AWS call, before its effect and after it; run again, all is right."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue

import pytest

from fleet.plan.receipt import Receipt
from fleet.sandbox.cloud.call import Call
from fleet.sandbox.cloud.gate import ConnectionCut
from fleet.workflows.down import apply_down, plan_down
from fleet.workflows.planning import plan_up
from fleet.workflows.up import apply_up
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows import runs
from tests.workflows.conftest import read, spec_text
from tests.workflows.fleets import remaining

pytestmark = pytest.mark.slow

SPEC = spec_text(members="[ana, ben]")
WHOLE = {"instances": 2, "groups": 1, "keys": 1, "templates": 1, "parameters": 2}
NOTHING = dict.fromkeys(WHOLE, 0)


@pytest.fixture(autouse=True)
def _endpoint(served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
    yield
    served.cloud.hooks.restart()
    served.cloud.reset()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as found:
        yield found


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def standing(served: Served) -> dict[str, int]:
    """What is there, by kind, whoever made it."""
    ec2, ssm = served.ec2, served.client("ssm")
    reservations = ec2.describe_instances()["Reservations"]
    live = [
        i["InstanceId"]
        for r in reservations
        for i in r["Instances"]
        if i["State"]["Name"] not in {"terminated", "shutting-down"}
    ]
    groups = [
        g for g in ec2.describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"
    ]
    parameters = ssm.get_parameters_by_path(Path="/fleet", Recursive=True)["Parameters"]
    return {
        "instances": len(live),
        "groups": len(groups),
        "keys": len(ec2.describe_key_pairs()["KeyPairs"]),
        "templates": len(ec2.describe_launch_templates()["LaunchTemplates"]),
        "parameters": len(parameters),
    }


def calls_of(served: Served, work: Callable[[], object]) -> int:
    """How many calls a piece of work makes."""
    served.cloud.hooks.restart()
    work()
    return len(served.cloud.hooks.calls)


def killed_at(
    served: Served, cache: Path, number: int, when: str, run: runs.Run, about: str
) -> str:
    """Run until call `number`, and kill it there; gives the name of the call, "" where it was not reached."""
    served.cloud.hooks.restart()
    started: SimpleQueue[BaseProcess] = SimpleQueue()
    met: list[str] = []

    def act(call: Call, *_: object) -> None:
        met.append(call.action)
        runs.kill(started.get(timeout=10))
        raise ConnectionCut

    hook = served.cloud.hooks.before if when == "before" else served.cloud.hooks.after
    hook(number, act)
    process = runs.start(run, served, cache, about)
    started.put(process)
    code = runs.ended(process)
    served.cloud.hooks.restart()
    assert (code == -signal.SIGKILL) == bool(met), f"the run ended by itself: {code}"
    return "".join(met)


def bring_up(served: Served, cache: Path) -> None:
    context = runs.context_over(served.url, cache)
    apply_up(context, plan_up(context, read(SPEC), folder=Path()))


def take_down(served: Served, cache: Path) -> Receipt:
    context = runs.context_over(served.url, cache)
    return apply_down(context, plan_down(context, "workshop"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_up_killed_at_every_call(served: Served, cache: Path, when: str) -> None:
    """Where nothing stands after the kill, the next run is the first one again, and is left out."""
    count = calls_of(served, lambda: bring_up(served, cache))
    take_down(served, cache)
    killed: Counter[str] = Counter()
    for number in range(1, count + 1):
        met = killed_at(served, cache, number, when, runs.up, SPEC)
        killed[met] += 1
        if standing(served) == NOTHING:
            continue
        bring_up(served, cache)
        assert standing(served) == WHOLE, f"killed {when} call {number}, {met}"
        assert remaining(take_down(served, cache)) == {}
        assert standing(served) == NOTHING, f"killed {when} call {number}, {met}"
    print(f"up killed {when} each of {count} calls: {dict(killed)}")
    assert killed.total() - killed[""] > count / 2


@pytest.mark.parametrize("when", ["before", "after"])
def test_down_killed_at_every_call(served: Served, cache: Path, when: str) -> None:
    """Where all still stands after the kill, the next run is the first one again, and is left out."""
    bring_up(served, cache)
    count = calls_of(served, lambda: take_down(served, cache))
    killed: Counter[str] = Counter()
    for number in range(1, count + 1):
        if standing(served) != WHOLE:
            bring_up(served, cache)
        met = killed_at(served, cache, number, when, runs.down, "workshop")
        killed[met] += 1
        if standing(served) == WHOLE:
            continue
        receipt = take_down(served, cache)
        assert remaining(receipt) == {}, f"killed {when} call {number}, {met}"
        assert standing(served) == NOTHING, f"killed {when} call {number}, {met}"
    print(f"down killed {when} each of {count} calls: {dict(killed)}")
    assert killed.total() - killed[""] > count / 2
