"""A test that never ends by itself: `test_one_run.py` kills the run that it belongs to. No other run collects it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.acceptance.aws import client
from tests.command import Cli

SAYS_IT_IS_THERE = "FLEET_TEST_LEFT_RUNNING"
HOUR = 3600


def test_that_is_killed(cli: Cli) -> None:
    assert cli("sandbox", "start", "--boot-seconds", "0.1").returncode == 0
    _boot_a_host(cli)
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({HOUR})"])
    Path(os.environ[SAYS_IT_IS_THERE]).write_text(os.environ["FLEET_TEST_RUN"])
    time.sleep(HOUR)


def _boot_a_host(cli: Cli) -> None:
    ec2 = client(cli, "ec2")
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
