"""A client of AWS for tests: it sees what the sandbox has, and does to it what somebody might do besides `fleet`."""

from __future__ import annotations

from typing import Any

import boto3

from tests.command import Cli


def client(cli: Cli, service: str) -> Any:
    values = cli.sandbox_environment()
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )


def stop(cli: Cli, instance_id: str) -> None:
    """Stop an instance, as somebody does in the console, and wait until it is."""
    ec2 = client(cli, "ec2")
    ec2.stop_instances(InstanceIds=[instance_id])
    wait(ec2, "instance_stopped", InstanceIds=[instance_id])


def wait(ec2: Any, what: str, **names: list[str]) -> None:
    ec2.get_waiter(what).wait(**names, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
