"""The way in is checked before anything is launched, and every command goes the same way."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path

import pytest

from fleet.errors import FleetError, UnreachableError
from fleet.plan import tags
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import load_private_key
from fleet.ssh.proxies import DIRECT, Bastion, Command
from fleet.workflows.environment.connect import host_of, require_access_path
from fleet.workflows.environment.openssh import proxy_options
from fleet.workflows.launch.up import apply_up
from tests.plan.worlds import instance
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow

BASTION = "{from: [10.0.0.0/8], via: {bastion: 'me@127.0.0.1:1'}}"


def nothing_is_there(world: World) -> bool:
    groups = world.served.ec2.describe_security_groups()["SecurityGroups"]
    return world.states() == [] and all(group["GroupName"] == "default" for group in groups)


def test_ssm_without_its_programs_is_told_before_the_launch(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plan = world.plan(access="{via: ssm}")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "aws").touch(mode=0o755)
    with pytest.raises(FleetError, match="session-manager-plugin is not on this machine: install"):
        apply_up(world.context, plan)
    assert nothing_is_there(world)
    (tmp_path / "session-manager-plugin").touch(mode=0o755)
    require_access_path(world.context, plan.network.access_path)


def test_a_bastion_that_does_not_answer_is_told_before_the_launch(world: World) -> None:
    plan = world.plan(access=BASTION)
    with pytest.raises(
        UnreachableError, match=r"no SSH connection to the bastion me@127\.0\.0\.1:1"
    ):
        apply_up(world.context, plan)
    assert nothing_is_there(world)


def test_roads_follow_the_instance_s_tag(world: World) -> None:
    key = load_private_key(generate_private_key())
    plain = instance(1, "ana")

    def proxy(access_path: str) -> object:
        tagged = dataclasses.replace(plain, tags={**plain.tags, tags.VIA: access_path})
        return host_of(world.context, tagged, key).proxy

    assert host_of(world.context, plain, key).proxy is DIRECT
    assert host_of(world.context, plain, key).address == plain.public_address
    assert proxy("direct") is DIRECT
    assert isinstance(proxy("bastion me@b.example.org"), Bastion)
    assert proxy("bastion me@b.example.org") is proxy("bastion me@b.example.org"), "one connection"
    over = proxy("ssm")
    assert isinstance(over, Command)
    assert over.argv[:5] == ("aws", "ssm", "start-session", "--target", plain.instance_id)
    assert "AWS-StartSSHSession" in over.argv
    assert over.argv[-2:] == ("--region", "us-east-1")


def test_openssh_goes_the_same_way(world: World) -> None:
    plain = instance(1, "ana")
    assert proxy_options(world.context, plain) == {}
    inside = dataclasses.replace(plain, tags={tags.VIA: "bastion me@b.example.org:2222"})
    command = shlex.split(proxy_options(world.context, inside)["ProxyCommand"])
    assert command[0] == "ssh"
    assert command[-3:] == ["-W", "%h:%p", "me@b.example.org"]
    assert "StrictHostKeyChecking=yes" in command
    assert command[command.index("-p") + 1] == "2222"
    over = dataclasses.replace(plain, tags={tags.VIA: "ssm"})
    assert proxy_options(world.context, over)["ProxyCommand"].startswith("aws ssm start-session ")
