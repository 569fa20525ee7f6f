"""A host of a fleet of one, open as a bake has it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import boto3
import pytest

from fleet.aws.clients import Aws
from fleet.ssh.connection import open_host
from fleet.ssh.keys import load_private_key
from fleet.workflows.bake.host import BakeHost
from fleet.workflows.context import Context, settings_from
from fleet.workflows.environment.connect import host_of
from fleet.workflows.environment.endpoint import member_token
from fleet.workflows.environment.status import live_instances
from fleet.workflows.events import Event
from fleet.workflows.record.secrets import describe_secrets
from tests.command import Cli


@dataclass(frozen=True)
class Building:
    """An open builder, the secrets that we gave it, and what was told and written."""

    host: BakeHost
    known: tuple[str, ...]
    events: list[Event] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    @property
    def deadline(self) -> float:
        """Far away, on a machine that may be busy."""
        return self.host.context.clock() + 900

    def told(self, state: str) -> list[str]:
        """What was told in a state, without the seconds."""
        return [f"{event.step}: {event.detail}" for event in self.events if event.state == state]


@contextmanager
def building(
    cli: Cli, fleet: str, monkeypatch: pytest.MonkeyPatch, *, member: str = ""
) -> Iterator[Building]:
    """Open a member's host, or the one of a fleet that has one."""
    for name, value in cli.sandbox_environment().items():
        monkeypatch.setenv(name, value)
    events: list[Event] = []
    lines: list[str] = []
    context = Context(
        aws=Aws(boto3.Session(region_name="us-east-1"), region="us-east-1"),
        settings=settings_from(os.environ),
        on_event=events.append,
    )
    (instance,) = (each for each in live_instances(context, fleet) if member in ("", each.holder))
    secrets = describe_secrets(context, fleet)
    known = (
        member_token(secrets.fleet_secret, instance, instance.holder),
        secrets.fleet_secret,
        secrets.private_key,
    )
    address = host_of(context, instance, load_private_key(secrets.private_key))
    with open_host(address, deadline=context.clock() + 60) as opened:
        host = BakeHost(context, opened, instance.holder, lines.append)
        yield Building(host, known, events, lines)
