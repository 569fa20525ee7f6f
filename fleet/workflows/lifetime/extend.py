"""Lets a fleet, or members of it, run longer. On each machine first, in the tags after that.

A tag never promises what the machine does not do. One host's failure is its own: it keeps its old end, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from fleet.assets.shipped import load_extension
from fleet.aws.identity import describe_identity
from fleet.aws.instances import describe_instances
from fleet.aws.launch_templates import describe_launch_templates, tag_launch_template
from fleet.errors import AwsError, BootstrapError, FleetError
from fleet.plan import tags
from fleet.plan.lifetime.extension import (
    Extended,
    Extension,
    ExtensionReport,
    Longer,
    Stay,
    plan_extension,
    render_extension,
    timer_holds,
)
from fleet.side_by_side import each_side_by_side
from fleet.ssh.connection import open_host
from fleet.ssh.execute import READ_SCRIPT, execute, framed
from fleet.ssh.keys import PrivateKey, load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import host_of
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.lease import hold_lease
from fleet.workflows.record.secrets import describe_secrets
from fleet.workflows.record.tagging import put_tags

_MOST_WORKERS = 128
_CONNECT_SECONDS = 60
_TELL_SECONDS = 60


def prepare_extend(
    context: Context, fleet: str, longer: Longer, *, members: Sequence[str] = ()
) -> Extension:
    """Observe, and decide until when who stays. Changes nothing.

    Raises NothingFoundError for an unknown fleet or member, UsageError for a time that cannot be.
    """
    instances = choose_members(live_instances(context, fleet), members, fleet)
    templates = () if members else describe_launch_templates(context.aws, fleet=fleet)
    return plan_extension(
        instances,
        longer,
        fleet=fleet,
        region=context.aws.region,
        template=next(iter(templates), None),
        authority=describe_secrets(context, fleet).authority,
        now=context.now(),
    )


def apply_extend(context: Context, extension: Extension) -> ExtensionReport:
    """Extend as planned. Raises FleetError where an expiry has changed since the plan."""
    account_id = describe_identity(context.aws).account_id
    with hold_lease(context, extension.fleet, account_id=account_id, command="extend"):
        _require_same(context, extension)
        key = load_private_key(describe_secrets(context, extension.fleet).private_key)
        extended = _all(context, extension.stays, key)
        # Last: killed before, a repetition finds it as it was.
        if extension.template is not None:
            template, until = extension.template
            values = {tags.EXPIRES_AT: tags.expiry_text(until)}
            tag_launch_template(context.aws, template_id=template.template_id, tags=values)
    return ExtensionReport(extension, extended)


def _require_same(context: Context, extension: Extension) -> None:
    """Refuse what somebody else has extended since it was shown: the later end would be lost."""
    found = describe_instances(context.aws, fleet=extension.fleet)
    ends = {one.instance_id: one.expires_at for one in found}
    for stay in extension.stays:
        if ends.get(stay.instance.instance_id) not in {None, stay.expires_at}:
            raise FleetError(
                f"the expiry of {stay.member} has changed since it was looked at",
                remedy="run the command again",
            )


def _all(context: Context, stays: Sequence[Stay], key: PrivateKey) -> tuple[Extended, ...]:
    # Not waited for: after an interrupt a host's work ends by itself, and its tag tells the old end.
    return each_side_by_side(
        lambda stay: _extend(context, stay, key),
        stays,
        at_once=_MOST_WORKERS,
        wait_on_error=False,
    )


def _extend(context: Context, stay: Stay, key: PrivateKey) -> Extended:
    """Extend one environment; a failure becomes its reason, never an exception."""
    context.tell(stay.member, "extend", "running")
    until = tags.expiry_text(stay.until)
    try:
        require_running(stay.instance)
        _tell_host(context, stay, key)
        put_tags(context, stay.instance, {tags.EXPIRES_AT: until})
    except FleetError as error:
        said = f"the machine ends at {until} by now, its tag could not say so: {error}"
        reason = said if isinstance(error, AwsError) else str(error)
        context.tell(stay.member, "failed", "failed", reason)
        return Extended(stay, reason)
    context.tell(stay.member, "extended", "done", f"until {until}")
    return Extended(stay)


def _tell_host(context: Context, stay: Stay, key: PrivateKey) -> None:
    """Move the end on the machine. Raises HostError where that cannot be, or its timer says another time."""
    host, clock = host_of(context, stay.instance, key), context.clock
    until = clock() + min(_CONNECT_SECONDS, context.deadlines.ssh)
    with open_host(host, deadline=until, clock=clock, sleep=context.sleep) as opened:
        outcome = execute(
            opened,
            READ_SCRIPT,
            stdin=framed(render_extension(load_extension(), until=stay.until)),
            deadline=clock() + _TELL_SECONDS,
            clock=clock,
        )
    if outcome.exit_status != 0 or not timer_holds(outcome.stdout, until=stay.until):
        said = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
        raise BootstrapError(
            f"its expiry could not be changed: {said[-1] if said else 'no output'}",
            remedy="see `systemctl status fleet-expiry.timer` on the host",
        )
