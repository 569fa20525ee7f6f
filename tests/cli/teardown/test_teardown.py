"""`fleet down` and `fleet sweep` through the real command line: what they say, their JSON, their exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest

from fleet.plan import tags
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def ec2(cli: Cli, region: str = "us-east-1") -> Any:
    values = cli.sandbox_environment()
    session = boto3.Session(
        values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"], region_name=region
    )
    return session.client("ec2", endpoint_url=values["AWS_ENDPOINT_URL"])


def outside(cli: Cli, folder: Path) -> Cli:
    """The same cloud, as a real one: nothing says that it is the sandbox, so there is somebody to ask."""
    values = cli.sandbox_environment()
    kept = {k: v for k, v in values.items() if k.startswith(("AWS_", "FLEET_"))}
    return Cli(folder, {k: v for k, v in kept.items() if k != "FLEET_SANDBOX"})


def make_volume(cli: Cli, fleet: str) -> str:
    made = ec2(cli).create_volume(
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
    return str(made["VolumeId"])


def test_members_and_volumes(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "parting")
    up = cli.json("--sandbox", "up", str(spec), "-o", "json")
    ids = {e["member"]: e["instance_id"] for e in up["environments"]}

    unknown = cli("--sandbox", "down", "parting", "--member", "anna")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "fleet parting has no member anna: did you mean ana?" in unknown.stderr

    one = cli("--sandbox", "down", "parting", "--member", "ana", "--keep-volumes")
    assert one.returncode == 0, one.stderr
    assert "on request ($9.60/month)" in one.stderr
    assert "aws ec2 --region us-east-1 delete-volume --volume-id vol-" in one.stderr
    status = cli.json("--sandbox", "status", "parting", "-o", "json")
    assert [e["member"] for e in status["environments"]] == ["ben"]

    receipt = cli.json("--sandbox", "down", "parting", "-o", "json")
    assert receipt["released"]["instances"] == [ids["ben"]]
    assert len(receipt["released"]["volumes"]) == 2
    assert receipt["already_gone"] == {"instances": [ids["ana"]]}
    assert (receipt["left"], receipt["kept"], receipt["unread"]) == ([], [], {})


def test_what_is_left_has_its_price_and_command_and_exit_3(cli: Cli, tmp_path: Path) -> None:
    cli("sandbox", "start")
    volume = make_volume(cli, "stuck")
    cli("sandbox", "fault", "add", "deny", "--action", "ec2:DeleteVolume")
    try:
        done = cli("--sandbox", "down", "stuck")
    finally:
        cli("sandbox", "fault", "clear")
    assert done.returncode == 3
    assert f"still there: volume {volume}: this identity may not call DeleteVolume" in done.stderr
    assert "($8.00/month)" in done.stderr
    assert f"  aws ec2 --region us-east-1 delete-volume --volume-id {volume}" in done.stderr
    assert cli("--sandbox", "down", "stuck").returncode == 0


def test_sweep_shows_asks_and_removes_what_it_showed(cli: Cli, tmp_path: Path) -> None:
    cli("sandbox", "start")
    volume = make_volume(cli, "forgotten")
    real = outside(cli, tmp_path)
    young = cli("--sandbox", "sweep")
    assert (young.returncode, volume in young.stdout) == (0, False)

    dry = cli.json("--sandbox", "sweep", "--older-than", "0h", "--dry-run", "-o", "json")
    (found,) = [one for one in dry["found"] if one["id"] == volume]
    assert found["reason"] == "its instance is gone"
    assert found["monthly_usd"] == pytest.approx(8)

    asked = real("sweep", "--older-than", "0h")
    assert asked.returncode == 2
    assert "pass --yes" in asked.stderr
    heading, *rows = asked.stdout.splitlines()
    assert heading.split() == ["KIND", "ID", "FLEET", "REGION", "AGE", "REASON", "USD/MONTH"]
    assert any(volume in row and "forgotten" in row and "$8.00" in row for row in rows)

    done = real("sweep", "--older-than", "0h", "--all-regions", "--yes", "-o", "json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert volume in answer["released"]["volumes"]
    assert (answer["left"], answer["changed"], answer["unread"]) == ([], [], [])
    assert real("sweep", "--older-than", "0h").stderr.startswith("nothing to sweep")


def test_a_time_that_is_none(cli: Cli) -> None:
    done = cli("--sandbox", "sweep", "--older-than", "yesterday")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "fleet: --older-than yesterday is not a time: write it like 24h, 2d or 90m\n"
    )
