"""Hand-outs and logins of a fleet that nobody can reach, and of one that is reached over Systems Manager."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from fleet.errors import FleetError, NothingFoundError
from fleet.plan import tags
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import public_line
from fleet.workflows.handout.logins import describe_logins, write_ssh_config
from fleet.workflows.handout.pages import Wishes, write_handout
from fleet.workflows.record.make_secrets import ensure_secrets
from tests.workflows.conftest import World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow

KEY = public_line(generate_private_key())


def tag(world: World, member: str, **values: str) -> str:
    """Tag a member's instance as a bootstrap does; gives its id."""
    found = world.served.ec2.describe_instances(
        Filters=[{"Name": f"tag:{tags.MEMBER}", "Values": [member]}]
    )
    instance_id = found["Reservations"][0]["Instances"][0]["InstanceId"]
    world.served.ec2.create_tags(
        Resources=[instance_id],
        Tags=[{"Key": f"fleet:{name.replace('_', '-')}", "Value": v} for name, v in values.items()],
    )
    return instance_id


def test_nobody_is_ready_yet_and_every_page_says_so(world: World, tmp_path: Path) -> None:
    launched(world)
    written = write_handout(world.context, "workshop", folder=tmp_path / "a" / "b")
    assert [(page.member, page.state) for page in written.overview.pages] == [
        ("ana", "starting"), ("ben", "starting"), ("cyd", "starting"),
    ]  # fmt: skip
    assert written.overview.ready == 0
    html = (tmp_path / "a/b/workshop-ana.html").read_text("utf-8")
    assert "Not ready yet" in html
    assert "ssh ubuntu@" not in html
    found = describe_logins(world.context, "workshop")
    assert found.logins == ()
    assert set(found.absent) == {"ana", "ben", "cyd"}
    assert found.as_inventory()["workshop"] == {"hosts": []}


def test_over_systems_manager_both_go_by_a_session(world: World, tmp_path: Path) -> None:
    launched(world)
    instance_id = tag(world, "ana", host_key=KEY, via="ssm", account="member")
    (login,) = describe_logins(world.context, "workshop").logins
    session = f"aws ssm start-session --target {instance_id} "
    assert login.proxy.startswith(session)
    assert login.user == "ubuntu"
    written = write_handout(world.context, "workshop", folder=tmp_path)
    (ana, *_) = written.overview.pages
    assert ana.session
    assert ana.ssh.startswith(f'ssh -o "ProxyCommand={session}')
    assert ana.ssh.endswith(f"@{login.address}")
    assert "member@" in ana.ssh
    assert "--profile" not in ana.ssh


def test_the_key_and_its_hosts_are_private(world: World) -> None:
    launched(world)
    tag(world, "ana", host_key=KEY)
    written = write_ssh_config(world.context, "workshop", include=None)
    assert set(written.found.absent) == {"ben", "cyd"}
    for name in ("ssh_config", "ssh-key", "known_hosts"):
        assert stat.S_IMODE(written.path.with_name(name).stat().st_mode) == 0o600
    assert "# ben: " in written.path.read_text("utf-8")


def test_no_such_fleet(world: World, tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="there is no fleet workshop"):
        write_handout(world.context, "workshop", folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_takes_nothing_is_told(world: World, tmp_path: Path) -> None:
    launched(world)
    ensure_secrets(world.context, "workshop", expires_at=None)
    (tmp_path / "file").write_text("")
    with pytest.raises(FleetError, match="name another folder with --out"):
        write_handout(world.context, "workshop", folder=tmp_path / "file", wishes=Wishes())
