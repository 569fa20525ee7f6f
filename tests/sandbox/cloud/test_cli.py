"""The stock AWS CLI against the endpoint, with nothing set but AWS_ENDPOINT_URL, a Region and credentials."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.cloud.asking import X86_IMAGE, image_id, instances

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox.cloud.recording import Served

AWS = shutil.which("aws")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(AWS is None, reason="the AWS CLI is not installed"),
]


@pytest.fixture
def environment(served: Served, tmp_path: Path) -> dict[str, str]:
    """The caller's environment without its AWS settings, and no configuration files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ENDPOINT_URL": served.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }


def aws(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """One run of the CLI, bounded."""
    command = [AWS or "aws", *arguments, "--output", "text"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_session_of_the_cli(served: Served, environment: dict[str, str]) -> None:
    account = aws(environment, "sts", "get-caller-identity", "--query", "Account")
    assert (account.stdout, account.stderr) == ("123456789012\n", "")
    name = f"Name=name,Values={X86_IMAGE}"
    query = ("--owners", "amazon", "--filters", name, "--query", "Images[0].ImageId")
    image = aws(environment, "ec2", "describe-images", *query).stdout.strip()
    assert image == image_id(served)
    run = (
        "--image-id",
        image,
        "--instance-type",
        "g5.xlarge",
        "--query",
        "Instances[0].InstanceId",
    )
    launched = aws(environment, "ec2", "run-instances", *run)
    assert launched.stdout.strip() == instances(served)[0]["InstanceId"], launched.stderr
    price = aws(
        environment,
        "pricing",
        "get-products",
        "--service-code",
        "AmazonEC2",
        "--filters",
        "Type=TERM_MATCH,Field=instanceType,Value=g5.xlarge",
        "--query",
        "PriceList[0]",
    )
    assert '"USD": "1.0060000000"' in price.stdout
    quota = ("--service-code", "ec2", "--quota-code", "L-DB2E81BA", "--query", "Quota.Value")
    assert aws(environment, "service-quotas", "get-service-quota", *quota).stdout == "512.0\n"


def test_errors_reach_the_cli(environment: dict[str, str]) -> None:
    bad = aws(environment, "ec2", "terminate-instances", "--instance-ids", "i-00000000000000000")
    assert bad.returncode != 0
    assert "(InvalidInstanceID.NotFound)" in bad.stderr
    missing = aws(environment, "ec2", "describe-volume-status")
    assert "(UnsupportedOperation)" in missing.stderr
