"""`fleet doctor` and `fleet iam policy` as a person runs them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tests.command import InProcess, write_spec

pytestmark = pytest.mark.slow


def test_without_region_and_credentials_each_line_says_what_to_do(bare: InProcess) -> None:
    done = bare("doctor")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "no region is known" in done.stdout
    assert "set AWS_REGION" in done.stdout
    assert "skipped" in done.stdout


def test_without_credentials_what_needs_them_is_skipped_aloud(bare: InProcess) -> None:
    nobody = "http://127.0.0.1:9"  # the discard port: refused at once
    values = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": nobody, "FLEET_CHECKIP_URL": nobody}
    done = dataclasses.replace(bare, extra=values)("doctor", "-o", "json")
    assert done.returncode == 1, done.stderr
    found = {(line["check"], line["state"]) for line in json.loads(done.stdout)}
    assert {("identity", "failed"), ("clock", "failed"), ("your address", "failed")} <= found
    assert {("versions", "ok"), ("quota", "skipped"), ("permissions", "skipped")} <= found


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}, "missing: AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint: nonsense"),
        ({"AWS_PROFILE": "nobody"}, "profile (nobody) could not be found"),
    ],
)
@pytest.mark.parametrize("command", ["doctor", "ls"])
def test_what_boto3_refuses_before_it_asks(
    bare: InProcess, values: dict[str, str], said: str, command: str
) -> None:
    known = {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    done = dataclasses.replace(bare, extra=known | values)(command)
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_spec_is_told_as_ever(bare: InProcess, tmp_path: Path) -> None:
    done = bare("doctor", str(write_spec(tmp_path, "workshop", expires="soon")))
    assert done.returncode == 2
    assert "workshop.yaml" in done.stderr


def test_in_the_sandbox_all_is_well(cli: InProcess, tmp_path: Path) -> None:
    done = cli("doctor", str(write_spec(tmp_path, "workshop")))
    assert done.returncode == 0, done.stdout
    assert " failed " not in done.stdout
    assert "actions were tried and are allowed" in done.stdout


def test_the_policy_of_a_few_commands(bare: InProcess) -> None:
    document = bare.json("iam", "policy", "--command", "ls, down")
    actions = {action for one in document["Statement"] for action in one["Action"]}
    assert "ec2:TerminateInstances" in actions
    assert "ec2:CreateFleet" not in actions
    shown = bare("iam", "policy", "--command", "down", "-o", "table").stdout
    assert "aws:ResourceTag/fleet:name = *" in shown


def test_a_command_that_does_not_exist_or_needs_nothing(bare: InProcess) -> None:
    wrong = bare("iam", "policy", "--command", "upp")
    assert (wrong.returncode, "there is no command 'upp'" in wrong.stderr) == (2, True)
    nothing = bare("iam", "policy", "--command", "spec")
    assert (nothing.returncode, "calls nothing of AWS" in nothing.stderr) == (2, True)
