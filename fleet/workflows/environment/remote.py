"""Commands on environments: `exec` on every member at the same time, and the arguments of an interactive `ssh`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.aws.identity import describe_identity
from fleet.errors import FleetError, NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.side_by_side import each_side_by_side
from fleet.ssh.connection import Host, open_host
from fleet.ssh.execute import execute
from fleet.ssh.keys import known_hosts_name, load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import host_of, proxy_options
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.secrets import describe_secrets

_MOST_WORKERS = 128
_CONNECT_SECONDS = 20


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


def ssh_command(context: Context, fleet: str, member: str) -> tuple[str, ...]:
    """Give the arguments for OpenSSH's client; writes its key and the recorded host key to the cache first."""
    (instance,) = choose_members(live_instances(context, fleet), (member,), fleet)
    require_running(instance)
    recorded = instance.tags.get(tags.HOST_KEY)
    if recorded is None:
        raise FleetError(
            f"the host key of {member} is not recorded yet",
            remedy="run `fleet up` on its spec again",
        )
    port, address = context.settings.ssh_port, instance.address or ""
    name = known_hosts_name(address, port)
    cache = context.cache(describe_identity(context.aws).account_id, fleet)
    key = cache.write("ssh-key", describe_secrets(context, fleet).private_key)
    known = cache.write(f"known_hosts-{instance.instance_id}", f"{name} {recorded}\n")
    options = {
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": str(_CONNECT_SECONDS),
    }
    options |= proxy_options(context, instance)
    flags = [word for key_, value in options.items() for word in ("-o", f"{key_}={value}")]
    login = f"{instance.login_user}@{address}"
    return ("ssh", "-i", str(key), "-p", str(port), *flags, login)


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


def choose_members(
    instances: Sequence[InstanceFact], members: Sequence[str], fleet: str
) -> tuple[InstanceFact, ...]:
    """Give the instances of the members named, or all. Raises NothingFoundError for a name that is not there."""
    if not members:
        return tuple(instances)
    by_name = {instance.member: instance for instance in instances}
    for name in members:
        if name not in by_name:
            known = ", ".join(sorted(known for known in by_name if known))
            raise NothingFoundError(f"fleet {fleet} has no member {name}", remedy=f"it has {known}")
    return tuple(by_name[name] for name in members)


def require_running(instance: InstanceFact) -> None:
    """Raise FleetError where an instance does not run."""
    if instance.state != "running":
        raise FleetError(
            f"{instance.holder} is {instance.state}",
            remedy="run `fleet up` on its spec again",
        )
