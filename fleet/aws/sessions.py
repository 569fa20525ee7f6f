"""Sessions of Systems Manager, over which SSH comes to instances that have no public address."""

from __future__ import annotations

from fleet.aws.clients import Aws
from fleet.aws.effects import effect

PROGRAMS = ("aws", "session-manager-plugin")
"""What a session needs on this machine."""


@effect("ssm:StartSession")
def session_command(aws: Aws, *, instance_id: str, port: int) -> tuple[str, ...]:
    """Give the command whose input and output are a connection to a port of the instance.

    It takes the credentials as the AWS CLI finds them: the profile's, or the environment's. Systems Manager user
    guide, "Allow and control permissions for SSH connections through Session Manager".
    """
    profile = aws.session.profile_name
    named = ("--profile", profile) if profile != "default" else ()
    return (
        "aws", "ssm", "start-session", "--target", instance_id,
        "--document-name", "AWS-StartSSHSession", "--parameters", f"portNumber={port}",
        "--region", aws.region, *named,
    )  # fmt: skip
