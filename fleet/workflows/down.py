"""`down`: takes a fleet away, waits for EC2 to say terminated, looks again over every kind, and gives the receipt.

Touches only what carries the fleet's tag. Run again after a crash it goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleet.aws.identity import describe_identity
from fleet.aws.instances import describe_instances, terminate_instances
from fleet.aws.key_pairs import delete_key_pair
from fleet.aws.launch_templates import delete_launch_template
from fleet.aws.network import delete_security_group, describe_network_interfaces
from fleet.aws.parameters import delete_parameters
from fleet.aws.volumes import delete_volume, describe_volumes
from fleet.errors import InUseError
from fleet.plan.facts import Owned
from fleet.plan.report import Receipt
from fleet.workflows.context import Context
from fleet.workflows.observe import observe_owned

_POLL_SECONDS = 1.0


def plan_down(context: Context, fleet: str) -> Owned:
    """Observe what a teardown would take away. Changes nothing."""
    return observe_owned(context, fleet)


def apply_down(context: Context, fleet: str, owned: Owned) -> Receipt:
    """Take away what was observed, then look again. What could not go stands under `remaining`."""
    before = owned_ids(owned)
    _terminate(context, fleet, owned)
    _release_storage(context, fleet, owned)
    _delete_security_groups(context, owned)
    for pair in owned.key_pairs:
        delete_key_pair(context.aws, key_pair_id=pair.key_pair_id)
    delete_parameters(context.aws, names=owned.parameters)
    # Last, for it makes a half-taken-down fleet show in `fleet ls`.
    for template in owned.launch_templates:
        delete_launch_template(context.aws, template_id=template.template_id)
    context.tell(None, "look again", "running")
    remaining = owned_ids(observe_owned(context, fleet))
    context.tell(None, "look again", "done")
    released = {
        kind: tuple(one for one in ids if one not in remaining[kind])
        for kind, ids in before.items()
    }
    if not any(remaining.values()):
        context.cache(describe_identity(context.aws).account_id, fleet).delete()
    return Receipt(fleet, released, remaining)


def owned_ids(owned: Owned) -> Mapping[str, tuple[str, ...]]:
    """Give the ids of everything a fleet owns, by kind. A terminated instance is gone."""
    return {
        "instances": tuple(i.instance_id for i in owned.instances if i.state != "terminated"),
        "volumes": owned.volumes,
        "network_interfaces": owned.network_interfaces,
        "security_groups": tuple(group.group_id for group in owned.security_groups),
        "key_pairs": tuple(pair.key_pair_id for pair in owned.key_pairs),
        "launch_templates": tuple(template.template_id for template in owned.launch_templates),
        "parameters": owned.parameters,
    }


def _terminate(context: Context, fleet: str, owned: Owned) -> None:
    live = [i.instance_id for i in owned.instances if i.live]
    ending = [i for i in owned.instances if i.state != "terminated"]
    if live:
        context.tell(None, "terminate", "running", f"{len(live)} instances")
        terminate_instances(context.aws, instance_ids=live)
    if ending:
        _wait(context, "terminate", lambda: _count_ending(context, fleet), "instances")


def _count_ending(context: Context, fleet: str) -> int:
    seen = describe_instances(context.aws, fleet=fleet)
    return sum(1 for instance in seen if instance.state != "terminated")


def _release_storage(context: Context, fleet: str, owned: Owned) -> None:
    """Wait for volumes and interfaces that go with their instances; delete volumes that do not."""
    if not (owned.volumes or owned.network_interfaces):
        return
    for volume_id in describe_volumes(context.aws, fleet=fleet):
        try:
            delete_volume(context.aws, volume_id=volume_id)
        except InUseError:
            context.tell(None, "volumes", "note", f"{volume_id} is still in use")
    _wait(
        context,
        "release",
        lambda: (
            len(describe_volumes(context.aws, fleet=fleet))
            + len(describe_network_interfaces(context.aws, fleet=fleet))
        ),
        "volumes and interfaces",
    )


def _delete_security_groups(context: Context, owned: Owned) -> None:
    """Delete the security groups, waiting while interfaces linger on them."""
    deadline = context.clock() + context.deadlines.terminated
    for group in owned.security_groups:
        while True:
            try:
                delete_security_group(context.aws, group_id=group.group_id)
                break
            except InUseError as error:
                if context.clock() >= deadline:
                    context.tell(None, "security group", "failed", str(error))
                    break
                context.tell(None, "security group", "running", "in use still")
                context.sleep(_POLL_SECONDS)


def _wait(context: Context, step: str, count: Callable[[], int], what: str) -> None:
    """Wait until nothing is left; past the deadline go on, for the last look tells what remains."""
    deadline = context.clock() + context.deadlines.terminated
    last = -1
    while (left := count()) > 0:
        if context.clock() >= deadline:
            context.tell(None, step, "failed", f"{left} {what} are left")
            return
        if left != last:
            context.tell(None, step, "running", f"{left} {what} to go")
            last = left
        context.sleep(_POLL_SECONDS)
    context.tell(None, step, "done", f"no {what} left")
