"""What asking plain moto gives: the code of an error, an instance as it is described."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

_SECONDS = 60
BROKEN = "500"
"""For moto's page of HTML with status 500: a call that is not there, or an exception inside."""


def wait_for(url: str) -> None:
    """Return when somebody answers."""
    until = time.monotonic() + _SECONDS
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def refusal(call: Callable[..., object], **arguments: object) -> str | None:
    """Give the code of the error that a call answers with; None where it does what it is asked for."""
    try:
        call(**arguments)
    except ResponseParserError:
        return BROKEN
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def launched(ec2: EC2Client, image_id: str, **asked: Any) -> str:
    """Launch one instance; gives its id."""
    arguments = {"ImageId": image_id, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
    answer = ec2.run_instances(**{**arguments, **asked})
    return answer["Instances"][0]["InstanceId"]


def described(ec2: EC2Client, instance_id: str) -> Any:
    """One instance as DescribeInstances shows it."""
    answer = ec2.describe_instances(InstanceIds=[instance_id])
    return answer["Reservations"][0]["Instances"][0]


def volumes(ec2: EC2Client, instance_id: str) -> list[Any]:
    """The volumes of an instance, the smallest first."""
    wanted = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
    found: list[Any] = list(ec2.describe_volumes(Filters=wanted)["Volumes"])  # type: ignore[arg-type]
    return sorted(found, key=lambda volume: int(volume["Size"]))
