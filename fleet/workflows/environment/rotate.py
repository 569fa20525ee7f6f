"""Changes the tokens of a fleet, or of some members, in one go; goes on where an earlier run was killed.

One host's failure is its own: it spoils no other, and the next rotation begins with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.assets.shipped import load_rotation
from fleet.aws.identity import describe_identity
from fleet.errors import BootstrapError, FleetError
from fleet.jupyter.proof import prove_token
from fleet.plan import tags
from fleet.plan.environment.bootstrap import render_rotation
from fleet.plan.environment.report import Environment, FleetReport, describe_environment
from fleet.plan.environment.rotation import Rotation, plan_rotation, token_on_host
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.tokens import Secrets, jupyter_token
from fleet.side_by_side import each_side_by_side
from fleet.ssh.connection import OpenHost, open_host
from fleet.ssh.execute import READ_SCRIPT, execute, framed
from fleet.ssh.keys import PrivateKey, load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import endpoint_through, host_of
from fleet.workflows.environment.endpoint import member_token
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.lease import hold_lease
from fleet.workflows.record.secrets import describe_secrets, keep_generations
from fleet.workflows.record.tagging import put_tags

_MOST_WORKERS = 128
_CONNECT_SECONDS = 60
_RESTART_SECONDS = 120


@dataclass(frozen=True)
class _Work:
    """One host to tell. `instance` has the new generation in its tags, `old` is the token that it has till then."""

    instance: InstanceFact
    secrets: Secrets
    private_key: PrivateKey
    old: str

    @property
    def member(self) -> str:
        return self.instance.holder

    @property
    def token(self) -> str:
        return member_token(self.secrets.fleet_secret, self.instance, self.member)


def rotate(context: Context, fleet: str, *, members: Sequence[str] = ()) -> FleetReport:
    """Give all members (or those named) another token; the report has the links that each of them needs now.

    Where an earlier rotation broke off among them, it is finished, and nobody's token changes twice. Running kernels
    of the environments end. Raises NothingFoundError where there is no such fleet or member.
    """
    account_id = describe_identity(context.aws).account_id
    with hold_lease(context, fleet, account_id=account_id, command="rotate"):
        live = [one for one in live_instances(context, fleet) if one.member]
        chosen = choose_members(live, members, fleet)
        secrets = describe_secrets(context, fleet)
        rotation = plan_rotation(chosen, known=secrets.generations)
        if rotation.resumed:
            context.tell(None, "rotation", "note", "one that broke off is finished")
        # First what new instances begin with, then the tags, then the hosts: killed anywhere, no old token comes back.
        raised = secrets.generations.raised(rotation.generation, members or None)
        keep_generations(context, fleet, raised)
        for instance in rotation.ahead:
            put_tags(context, instance, {tags.TOKEN_GENERATION: str(rotation.generation)})
        return FleetReport(fleet, context.aws.region, _all(context, chosen, secrets, rotation))


def _all(
    context: Context, chosen: Sequence[InstanceFact], secrets: Secrets, rotation: Rotation
) -> tuple[Environment, ...]:
    key = load_private_key(secrets.private_key)
    ahead = {instance.instance_id for instance in rotation.ahead}

    def one(instance: InstanceFact) -> Environment:
        values = {**instance.tags, tags.TOKEN_GENERATION: str(rotation.generation)}
        old = jupyter_token(
            secrets.fleet_secret, instance.member or "", generation=token_on_host(instance)
        )
        work = _Work(dataclasses.replace(instance, tags=values), secrets, key, old)
        return _change(context, work, done=instance.instance_id not in ahead)

    # Not waited for: after an interrupt a host's work ends by itself, and the next run finishes the others'.
    return each_side_by_side(one, chosen, at_once=_MOST_WORKERS, wait_on_error=False)


def _change(context: Context, work: _Work, *, done: bool) -> Environment:
    """Change one host's token; a failure becomes its state and reason, never an exception."""
    if done:
        return describe_environment(work.instance, state="ready", token=work.token)
    try:
        require_running(work.instance)
        context.tell(work.member, "rotate", "running")
        _tell_host(context, work)
        put_tags(
            context,
            work.instance,
            {tags.TOKEN_ON_HOST: work.instance.tags[tags.TOKEN_GENERATION]},
        )
    except FleetError as error:
        context.tell(work.member, "failed", "failed", str(error))
        return describe_environment(work.instance, state="failed", reason=str(error))
    context.tell(work.member, "ready", "done", "the old token is refused, the new one accepted")
    return describe_environment(work.instance, state="ready", token=work.token)


def _tell_host(context: Context, work: _Work) -> None:
    host, clock = host_of(context, work.instance, work.private_key), context.clock
    deadline = clock() + _CONNECT_SECONDS
    with open_host(host, deadline=deadline, clock=clock, sleep=context.sleep) as opened:
        _restart(context, work, opened)
        with endpoint_through(opened, work.instance, work.secrets.authority) as endpoint:
            prove_token(
                endpoint,
                token=work.token,
                old=work.old,
                deadline=clock() + context.deadlines.proof,
                clock=clock,
                sleep=context.sleep,
            )


def _restart(context: Context, work: _Work, opened: OpenHost) -> None:
    instance = work.instance
    account = instance.account if instance.account != instance.login_user else None
    outcome = execute(
        opened,
        READ_SCRIPT,
        stdin=framed(render_rotation(load_rotation(), account=account, token=work.token)),
        deadline=context.clock() + _RESTART_SECONDS,
        clock=context.clock,
    )
    if outcome.exit_status != 0:
        said = outcome.stderr.strip().splitlines()
        raise BootstrapError(
            f"the token could not be changed: {said[-1] if said else 'no output'}",
            remedy=f"run `fleet rotate {instance.fleet}` again: it goes on from here",
        )
