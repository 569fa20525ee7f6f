"""A served cloud whose hosts boot nothing, and a context over it that waits for nothing long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from fleet.plan.launch.plan import Plan
from fleet.spec.load import load_spec
from fleet.spec.model import FleetSpec
from fleet.workflows.context import Context
from fleet.workflows.events import Event
from fleet.workflows.launch.prepare import prepare_up
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.runs import SHORT, context_over

__all__ = ["SHORT", "World", "read", "spec", "spec_text"]


def no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


@dataclass
class World:
    """A region, and what a run over it has told."""

    served: Served
    context: Context
    events: list[Event] = field(default_factory=list)

    def plan(self, **changes: str) -> Plan:
        return prepare_up(self.context, spec(**changes), folder=Path())

    def states(self) -> list[str]:
        found = self.served.ec2.describe_instances()["Reservations"]
        return sorted(i["State"]["Name"] for r in found for i in r["Instances"])


def spec_text(**changes: str) -> str:
    """A small spec; each change replaces or adds a top-level line."""
    lines = {
        "name": "workshop",
        "members": "[ana, ben, cyd]",
        "image": "{framework: pytorch, os: ubuntu-24.04}",
        "instances": "{types: [g5.xlarge]}",
        "access": "{from: [203.0.113.0/24]}",
        "expires": "8h",
    }
    return "".join(f"{key}: {value}\n" for key, value in {**lines, **changes}.items())


def spec(**changes: str) -> FleetSpec:
    """The same, read."""
    return read(spec_text(**changes))


def read(text: str) -> FleetSpec:
    """Read a spec that names no file."""
    return load_spec(text.encode(), file="fleet.yaml", read=no_file, exists=lambda _: True)


@pytest.fixture(scope="module")
def served_once() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def world(served_once: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[World]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served_once.url)
    events: list[Event] = []
    context = context_over(served_once.url, tmp_path)
    yield World(served_once, replace(context, on_event=events.append), events)
    served_once.cloud.state.capacity.clear()
    served_once.cloud.reset()
