"""`doctor` against a served cloud: what it finds, and that it makes nothing."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import boto3
import pytest

from fleet.aws.clients import Aws
from fleet.plan.account.doctor import Finding, healthy
from fleet.workflows.account.doctor import examine
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from tests.workflows.conftest import World, spec

pytestmark = pytest.mark.slow

G = "L-DB2E81BA"


def looked(world: World) -> tuple[Finding, ...]:
    return examine(world.context, spec=None, spec_name="")


def of(found: tuple[Finding, ...], check: str, state: str) -> list[str]:
    return [f"{f.detail}: {f.remedy}" for f in found if (f.check, f.state) == (check, state)]


def test_a_sound_account_is_healthy_and_nothing_was_made(world: World) -> None:
    groups = len(world.served.ec2.describe_security_groups()["SecurityGroups"])
    found = looked(world)
    assert healthy(found), found
    for check in ("versions", "SSH key", "identity", "clock", "network", "secrets", "permissions"):
        assert of(found, check, "ok"), check
    assert world.states() == []
    assert world.served.ec2.describe_key_pairs()["KeyPairs"] == []
    assert world.served.ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert len(world.served.ec2.describe_security_groups()["SecurityGroups"]) == groups


def test_launching_a_fleet_is_tried_where_a_template_is_there(world: World) -> None:
    (text,) = [t for t in of(looked(world), "permissions", "skipped") if "CreateFleet can be" in t]
    assert "launch template" in text
    ensure_prerequisites(world.context, world.plan())
    found = looked(world)
    assert healthy(found), found
    assert not [t for t in of(found, "permissions", "skipped") if "ec2:CreateFleet" in t]
    assert world.states() == []


@pytest.mark.parametrize(
    "action", ["RunInstances", "ImportKeyPair", "CreateTags", "DescribeSnapshots", "GetProducts"]
)
def test_a_denied_action_is_named_and_stops_nothing_else(world: World, action: str) -> None:
    world.served.cloud.faults.add("deny", action=action)
    found = looked(world)
    denied = of(found, "permissions", "failed")
    assert denied
    assert action == "CreateTags" or any(action in text for text in denied)
    assert of(found, "permissions", "ok")
    assert of(found, "quota", "ok")


def test_an_account_that_may_run_no_gpu(world: World) -> None:
    world.served.cloud.state.quotas.put(G, 0, region="us-east-1")
    (text,) = of(looked(world), "quota", "failed")
    assert G in text
    assert "--request" in text
    world.served.cloud.state.quotas.clear()


def test_with_a_spec_its_own_quotas_are_counted(world: World) -> None:
    world.served.cloud.state.quotas.put(G, 8, region="us-east-1")
    found = examine(world.context, spec=spec(), spec_name="fleet.yaml")
    (text,) = of(found, "quota", "failed")
    assert "4 missing" in text
    assert "`fleet quota fleet.yaml --request`" in text
    world.served.cloud.state.quotas.clear()


def test_a_clock_that_is_wrong(world: World) -> None:
    real = world.context.now
    late = dataclasses.replace(world.context, now=lambda: real() - timedelta(minutes=10))
    found = examine(late, spec=None, spec_name="")
    (text,) = of(found, "clock", "failed")
    assert "behind AWS's" in text


def test_credentials_that_aws_refuses_leave_the_rest_skipped(world: World) -> None:
    aws = Aws(boto3.Session("EXPIRED", "secret"), region="us-east-1")
    found = examine(dataclasses.replace(world.context, aws=aws), spec=None, spec_name="")
    assert "expired" in of(found, "identity", "failed")[0]
    assert of(found, "clock", "ok")
    for check in ("network", "quota", "secrets", "permissions"):
        assert of(found, check, "skipped"), check
