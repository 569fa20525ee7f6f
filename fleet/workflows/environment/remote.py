"""Commands on environments: `exec` on every member at the same time."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.errors import FleetError
from fleet.plan.facts.environment import InstanceFact
from fleet.side_by_side import each_side_by_side
from fleet.ssh.connection import Host, open_host
from fleet.ssh.execute import execute
from fleet.ssh.keys import load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import host_of
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.secrets import describe_secrets

_MOST_WORKERS = 128


@dataclass(frozen=True)
class MemberOutcome:
    """What a command left on one member's environment. `error` is set, and the rest empty, where it did not run."""

    member: str
    exit_status: int | None
    stdout: str
    stderr: str
    error: str

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of one member's result."""
        return {
            "member": self.member,
            "exit_status": self.exit_status,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "error": self.error or None,
        }


def execute_on_fleet(
    context: Context,
    fleet: str,
    command: Sequence[str],
    *,
    members: Sequence[str] = (),
    timeout: float,
) -> tuple[MemberOutcome, ...]:
    """Run a command on all members (or those named); every result is kept, whatever the others do.

    One word is a shell line for the remote shell; several words are one command, each quoted.
    """
    instances = choose_members(live_instances(context, fleet), members, fleet)
    key = load_private_key(describe_secrets(context, fleet).private_key)
    line = command[0] if len(command) == 1 else shlex.join(command)

    def run(instance: InstanceFact) -> MemberOutcome:
        host = host_of(context, instance, key)
        return _run(context, instance, host, line, timeout=timeout)

    return each_side_by_side(run, instances, at_once=_MOST_WORKERS)


def _run(
    context: Context, instance: InstanceFact, host: Host, line: str, *, timeout: float
) -> MemberOutcome:
    member = instance.holder
    try:
        require_running(instance)
        deadline = context.clock() + timeout
        with open_host(
            host, deadline=context.clock(), clock=context.clock, sleep=context.sleep
        ) as opened:
            outcome = execute(opened, line, deadline=deadline, clock=context.clock)
    except FleetError as error:
        return MemberOutcome(member, None, "", "", str(error))
    return MemberOutcome(member, outcome.exit_status, outcome.stdout, outcome.stderr, "")
