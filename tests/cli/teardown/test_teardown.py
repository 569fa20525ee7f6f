"""`fleet down` and `fleet sweep` through the command line: what they say, their JSON, their exit codes."""

from __future__ import annotations

import json

import pytest

from fleet.plan import tags
from fleet.workflows.context import Context
from tests.command import InProcess
from tests.sandbox.cloud.recording import Served
from tests.workflows.conftest import World
from tests.workflows.fleets import launched

pytestmark = pytest.mark.slow


def make_volume(served: Served, fleet: str) -> str:
    made = served.ec2.create_volume(
        AvailabilityZone="us-east-1a",
        Size=100,
        VolumeType="gp3",
        TagSpecifications=[
            {
                "ResourceType": "volume",
                "Tags": [{"Key": k, "Value": v} for k, v in tags.fleet_tags(fleet).items()],
            }
        ],
    )
    return made["VolumeId"]


def test_members_and_volumes(served: Served, own: InProcess, context: Context) -> None:
    up = launched(World(served, context), name="parting", members="[ana, ben]", volume="120GiB")
    ids = {e.member: e.instance_id for e in up.environments}

    unknown = own("down", "parting", "--member", "anna")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "fleet parting has no member anna: did you mean ana?" in unknown.stderr

    one = own("down", "parting", "--member", "ana", "--keep-volumes", "--yes")
    assert one.returncode == 0, one.stderr
    assert "on request ($9.60/month)" in one.stderr
    assert "aws ec2 --region us-east-1 delete-volume --volume-id vol-" in one.stderr
    status = own.json("status", "parting", "-o", "json")
    assert [e["member"] for e in status["environments"]] == ["ben"]

    receipt = own.json("down", "parting", "--yes", "-o", "json")
    assert receipt["released"]["instances"] == [ids["ben"]]
    assert len(receipt["released"]["volumes"]) == 2
    assert receipt["already_gone"] == {"instances": [ids["ana"]]}
    assert (receipt["left"], receipt["kept"], receipt["unread"]) == ([], [], {})


def test_what_is_left_has_its_price_and_command_and_exit_3(served: Served, own: InProcess) -> None:
    volume = make_volume(served, "stuck")
    served.cloud.faults.add("deny", action="ec2:DeleteVolume")
    done = own("down", "stuck", "--yes")
    served.cloud.faults.clear()
    assert done.returncode == 3
    assert f"still there: volume {volume}: this identity may not call DeleteVolume" in done.stderr
    assert "($8.00/month)" in done.stderr
    assert f"  aws ec2 --region us-east-1 delete-volume --volume-id {volume}" in done.stderr
    assert own("down", "stuck", "--yes").returncode == 0


def test_sweep_shows_asks_and_removes_what_it_showed(served: Served, own: InProcess) -> None:
    volume = make_volume(served, "forgotten")
    young = own("sweep")
    assert (young.returncode, volume in young.stdout) == (0, False)

    dry = own.json("sweep", "--older-than", "0h", "--dry-run", "-o", "json")
    (found,) = [one for one in dry["found"] if one["id"] == volume]
    assert found["reason"] == "its instance is gone"
    assert found["monthly_usd"] == pytest.approx(8)

    asked = own("sweep", "--older-than", "0h")
    assert asked.returncode == 2
    assert "pass --yes" in asked.stderr
    heading, *rows = asked.stdout.splitlines()
    assert heading.split() == ["KIND", "ID", "FLEET", "REGION", "AGE", "REASON", "USD/MONTH"]
    assert any(volume in row and "forgotten" in row and "$8.00" in row for row in rows)

    done = own("sweep", "--older-than", "0h", "--all-regions", "--yes", "-o", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert volume in answer["released"]["volumes"]
    assert (answer["left"], answer["changed"], answer["unread"]) == ([], [], [])
    assert own("sweep", "--older-than", "0h").stderr.startswith("nothing to sweep")


def test_a_time_that_is_none(cli: InProcess) -> None:
    done = cli("sweep", "--older-than", "yesterday")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fleet: --older-than yesterday is not a time: write it like 24h, 2d or 90m\n"
    )
