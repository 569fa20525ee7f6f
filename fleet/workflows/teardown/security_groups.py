"""Deletes a security group, waiting while what we ended still holds on to it; names who holds on for good."""

from __future__ import annotations

from fleet.aws.group_users import GroupUser, describe_group_users
from fleet.aws.network import delete_security_group
from fleet.errors import AwsError, CredentialsError, EndpointError, InUseError, NotAuthorizedError
from fleet.plan.teardown.resources import Resource
from fleet.workflows.teardown.release_attempts import ReleaseAttempts, pauses
from fleet.workflows.teardown.terminate import Termination

_PATIENCE_SECONDS = 5.0
"""So long a group may be held by nothing but what we do not end, before that is taken for lasting."""


def release_group(attempts: ReleaseAttempts, group: Resource, *, termination: Termination) -> None:
    """Delete one group. EC2 refuses while anything uses it, even an instance that nobody can see yet."""
    context = attempts.context
    began = lasting_since = context.clock()
    for pause in pauses(context):
        try:
            delete_security_group(context.aws, group_id=group.resource_id)
        except InUseError as error:
            said = error
        except (CredentialsError, EndpointError):
            raise
        except AwsError as error:
            attempts.refuse(group, error.message, code=error.code)
            return
        else:
            return
        users, now = _users(attempts, group), context.clock()
        if not users or any(_leaves(user, termination) for user in users):
            lasting_since = now
        if now - began >= context.deadlines.terminated or now - lasting_since >= _PATIENCE_SECONDS:
            attempts.refuse(group, _reason(users), code=said.code)
            return
        context.tell(None, "security group", "running", "in use still")
        termination.look_again()
        context.sleep(pause)


def _users(attempts: ReleaseAttempts, group: Resource) -> tuple[GroupUser, ...]:
    try:
        return describe_group_users(attempts.context.aws, group_id=group.resource_id)
    except NotAuthorizedError:
        return ()


def _leaves(user: GroupUser, termination: Termination) -> bool:
    """An interface of ours may belong to an instance that is not visible yet: that one ends too."""
    if user.instance_id is None:
        return False
    return termination.ends(user.instance_id) or (
        user.ours and not termination.stays(user.instance_id)
    )


def _reason(users: tuple[GroupUser, ...]) -> str:
    if not users:
        return "EC2 says that it is in use, and does not show by what"
    return f"in use by {', '.join(str(user) for user in users)}"
