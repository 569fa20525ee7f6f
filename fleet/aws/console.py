"""The console of an instance, as far as it has printed."""

from __future__ import annotations

from botocore.exceptions import ClientError

from fleet.aws.clients import Aws
from fleet.aws.effects import effect

_NOT_LATEST = frozenset({"UnsupportedOperation", "InvalidParameterCombination"})
"""What instances that are not on Nitro answer to a question for the latest output."""


@effect("ec2:GetConsoleOutput")
def read_console(aws: Aws, *, instance_id: str) -> str:
    """Read the latest output; of an instance that is not on Nitro, what EC2 posted last. At most 64 KB.

    Source: EC2 API reference, GetConsoleOutput.
    """
    try:
        answer = aws.ec2.get_console_output(InstanceId=instance_id, Latest=True)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _NOT_LATEST:
            raise
        answer = aws.ec2.get_console_output(InstanceId=instance_id)
    return answer.get("Output", "")
