"""A test that never ends by itself: `test_one_run.py` kills the run that it belongs to. No other run collects it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import boto3

from tests.command import Cli

SAYS_IT_IS_THERE = "FLEET_TEST_LEFT_RUNNING"
HOUR = 3600


def test_that_is_killed(cli: Cli) -> None:
    assert cli("sandbox", "start", "--boot-seconds", "0.1").returncode == 0
    _boot_a_host(cli.sandbox_environment())
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({HOUR})"])
    Path(os.environ[SAYS_IT_IS_THERE]).write_text(os.environ["FLEET_TEST_RUN"])
    time.sleep(HOUR)


def _boot_a_host(values: dict[str, str]) -> None:
    ec2 = boto3.client(
        "ec2",
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )
    found = ec2.describe_images(
        Owners=["amazon"], Filters=[{"Name": "architecture", "Values": ["x86_64"]}]
    )
    (image, *_) = found["Images"]
    launched = ec2.run_instances(
        ImageId=image["ImageId"], InstanceType="g5.xlarge", MinCount=1, MaxCount=1
    )
    ids = [launched["Instances"][0]["InstanceId"]]
    ec2.get_waiter("instance_running").wait(
        InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
