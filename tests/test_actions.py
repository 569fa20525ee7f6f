"""The comparison of calls and policy can fail, and does not count the tests' own clients."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.actions import faults, product_actions

pytestmark = pytest.mark.slow

DECLARED = {"ec2:CreateFleet", "ec2:RunInstances", "ec2:DescribeImages"}

TEST = """
import boto3
from fleet.aws.clients import Aws
from tests.sandbox.cloud.recording import serve

def test_calls(monkeypatch):
    with serve() as served:
        served.ec2.describe_internet_gateways()
        monkeypatch.setenv("AWS_ENDPOINT_URL", served.url)
        aws = Aws(served.session(), region="us-east-1")
        aws.ec2.describe_images(Owners=["self"])
        aws.ec2.{call}()
"""


def test_a_call_without_declaration_is_a_fault_in_any_run() -> None:
    found = faults({"ec2:DescribeVpcs"}, DECLARED, whole=False)
    assert found == ["ec2:DescribeVpcs is called, and no @effect declares it"]


def test_a_declaration_without_call_is_a_fault_in_a_whole_run() -> None:
    assert faults({"ec2:CreateFleet"}, DECLARED, whole=False) == []
    (found,) = faults({"ec2:CreateFleet"}, DECLARED, whole=True)
    assert found.startswith("ec2:DescribeImages is declared")


def test_what_aws_checks_with_another_call_need_not_be_called() -> None:
    assert faults({"ec2:CreateFleet", "ec2:DescribeImages"}, DECLARED, whole=True) == []
    assert len(faults({"ec2:DescribeImages"}, DECLARED, whole=True)) == 2


def test_only_the_products_calls_count() -> None:
    lines = ["ec2:DescribeImages Boto3/1.40 dl-fleet", "ec2:DescribeVpcs Boto3/1.40"]
    assert product_actions(lines) == {"ec2:DescribeImages"}


def _run(folder: Path, call: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    hooks = (
        "from tests.actions import pytest_configure, pytest_sessionfinish, pytest_terminal_summary"
    )
    (folder / "conftest.py").write_text(hooks)
    (folder / "test_it.py").write_text(TEST.format(call=call))
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = .\n")
    root = str(Path(__file__).parent.parent)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_run_fails_on_an_action_that_the_policy_lacks(tmp_path: Path) -> None:
    done = _run(tmp_path, "describe_vpcs", ".")
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "FAILED ec2:DescribeVpcs is called, and no @effect declares it" in done.stdout
    assert "DescribeInternetGateways" not in done.stdout


def test_a_part_of_the_tests_says_what_it_did_not_check(tmp_path: Path) -> None:
    done = _run(tmp_path, "describe_subnets", ".")
    assert done.returncode == 0, done.stdout
    assert "2 AWS actions called" in done.stdout
    assert "NOT checked for unused ones" in done.stdout


def test_a_run_of_all_tests_fails_on_a_declaration_that_nobody_calls(tmp_path: Path) -> None:
    done = _run(tmp_path, "describe_subnets")
    assert done.returncode == 1, done.stdout
    assert "1 passed" in done.stdout
    assert "compared both ways" in done.stdout
    assert "FAILED ec2:TerminateInstances is declared, and no test makes" in done.stdout
    assert "FAILED ec2:DescribeSubnets" not in done.stdout
