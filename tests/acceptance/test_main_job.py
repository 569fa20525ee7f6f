"""The main job, end to end: a spec becomes proven URLs, converges, and goes away again."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.aws import client, wait
from tests.acceptance.aws_cli import seen
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KINDS = [
    "instances", "spot_requests", "volumes", "network_interfaces", "security_groups", "key_pairs",
    "launch_templates", "images", "snapshots", "parameters",
]  # fmt: skip
FIELDS = [
    "member", "instance_id", "instance_type", "market", "availability_zone", "state", "address",
    "jupyter_url", "tensorboard_url", "hourly_usd", "expires_at", "reason", "watchers",
]  # fmt: skip
NAME = "lifecycle"
OF_FLEET = [{"Name": "tag:fleet:name", "Values": [NAME]}]
TWO = "[ana, 'Zoë O''Neil']"
THREE = "[ana, 'Zoë O''Neil', cyd]"
VOLUME = "{size: 130GiB, iops: 4000, throughput: 250}"


def steady(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The environments by member, without what changes from one look to the next."""
    found = [{**each, "watchers": None} for each in report["environments"]]
    return sorted(found, key=lambda each: str(each["member"]))


def get(url: str, token: str | None = None, *, authority: str) -> int:
    """Ask as a browser does that trusts this authority and no other."""
    request = urllib.request.Request(
        url, headers={"Authorization": f"token {token}"} if token else {}
    )
    trust = ssl.create_default_context(cadata=authority)
    try:
        with urllib.request.urlopen(request, timeout=30, context=trust) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def ec2(cli: Cli) -> Any:
    return client(cli, "ec2")


@dataclass(frozen=True)
class Fleet:
    """A fleet whose life is looked at: its first report."""

    cli: Cli
    folder: Path
    first: dict[str, Any]

    def up(self, members: str) -> Any:
        spec = write_spec(self.folder, NAME, members=members, volume=VOLUME)
        return self.cli.json("--sandbox", "up", str(spec), "-o", "json")


@pytest.fixture(scope="module")
def fleet(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Of processes, as a person starts them."""
    process = Cli(cli.folder)
    folder = tmp_path_factory.mktemp("lifecycle")
    spec = write_spec(folder, NAME, members=TWO, volume=VOLUME)
    return Fleet(process, folder, process.json("--sandbox", "up", str(spec), "-o", "json"))


def test_a_fleet_comes_converges_and_grows(fleet: Fleet) -> None:
    cli, first = fleet.cli, fleet.first
    assert list(first) == ["fleet", "region", "hourly_usd", "environments"]
    ana, zoe = first["environments"]
    assert list(ana) == FIELDS
    assert [ana["member"], zoe["member"]] == ["ana", "Zoë O'Neil"]
    assert [ana["state"], zoe["state"]] == ["ready", "ready"]
    assert first["hourly_usd"] == pytest.approx(2 * 1.006)

    # Each URL opens for its own token and for nothing else.
    authority = cli("--sandbox", "ca", NAME).stdout
    for environment, other in ((ana, zoe), (zoe, ana)):
        token, others = (e["jupyter_url"].split("token=")[1] for e in (environment, other))
        jupyter, tensorboard = (f"https://{environment['address']}:{p}" for p in (8888, 6006))
        assert environment["jupyter_url"] == f"{jupyter}/lab?token={token}"
        assert environment["tensorboard_url"] == f"{tensorboard}/tensorboard/?token={token}"
        assert get(environment["jupyter_url"], authority=authority) == 200
        assert get(environment["tensorboard_url"], authority=authority) == 200
        for api in (f"{jupyter}/api/kernels", f"{tensorboard}/api/contents"):
            found = [get(api, one, authority=authority) for one in (token, None, others)]
            assert found == [200, 403, 403]

    # A second up changes nothing; one member more adds one.
    assert fleet.up(TWO) == first
    third = fleet.up(THREE)
    assert third["environments"][:2] == first["environments"]
    assert third["environments"][2]["member"] == "cyd"
    assert third["environments"][2]["expires_at"] == ana["expires_at"]

    described = cli.json("--sandbox", "status", NAME, "-o", "json")
    assert steady(described) == steady(third)
    assert all(e["watchers"]["lifetime"]["alive"] for e in described["environments"])
    assert steady(cli.json("--sandbox", "urls", NAME, "-o", "json")) == steady(described)
    receipts = cli.json("--sandbox", "status", NAME, "--proof", "-o", "json")
    for receipt in (environment["proof"] for environment in receipts["environments"]):
        assert receipt["jupyter"] == {"without_token": 403, "with_token": 200}
        assert receipt["tensorboard"] == {"without_token": 302, "with_token": 200}
        assert (receipt["cell_executed"], receipt["gpus"]) == (True, 1)
        assert receipt["certified_until"] > ana["expires_at"]
    table = cli("--sandbox", "status", NAME, "--proof").stdout.splitlines()
    assert table[0].split()[:3] == ["MEMBER", "STATE", "PROVEN"]
    assert all(
        "refused 403, with token 200  refused 302, with token 200" in row for row in table[1:]
    )
    listed = cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [(f["fleet"], f["running"]) for f in listed if f["fleet"] == NAME] == [(NAME, 3)]


def test_what_ec2_holds_is_what_was_asked(fleet: Fleet) -> None:
    ana = fleet.first["environments"][0]
    client = ec2(fleet.cli)
    (reservation,) = client.describe_instances(InstanceIds=[ana["instance_id"]])["Reservations"]
    (instance,) = reservation["Instances"]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["fleet:member"] == "ana"
    assert tags["fleet:expires-at"] == ana["expires_at"]
    assert tags["fleet:host-key"].startswith("ssh-ed25519 ")
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["KeyName"] == f"fleet-{NAME}"
    (group,) = client.describe_security_groups(Filters=OF_FLEET)["SecurityGroups"]
    opened = {p["FromPort"]: [r["CidrIp"] for r in p["IpRanges"]] for p in group["IpPermissions"]}
    assert opened == {port: ["127.0.0.1/32"] for port in (22, 6006, 8888)}
    assert [g["GroupId"] for g in instance["SecurityGroups"]] == [group["GroupId"]]
    for volume in client.describe_volumes(Filters=OF_FLEET)["Volumes"]:
        assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (130, "gp3", True)
        assert (volume["Iops"], volume["Throughput"]) == (4000, 250)
    (template,) = client.describe_launch_templates(Filters=OF_FLEET)["LaunchTemplates"]
    (version,) = client.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    assert base64.b64decode(version["LaunchTemplateData"]["UserData"]).startswith(b"#cloud-config")


def test_the_aws_cli_sees_what_came(fleet: Fleet, aws: str) -> None:
    members = [each["member"] for each in fleet.up(THREE)["environments"]]
    assert seen(fleet.cli, aws, NAME) == {
        "members": sorted(members),
        "ports": [22, 6006, 8888],
        "templates": [f"fleet-{NAME}"],
        "keys": [f"fleet-{NAME}"],
        "sizes": [130, 130, 130],
        "parameters": [
            f"/fleet/{NAME}/certificate-authority",
            f"/fleet/{NAME}/fleet-secret",
            f"/fleet/{NAME}/ssh-key",
        ],
    }


def test_a_host_that_powers_off_ends_alone(fleet: Fleet) -> None:
    before = fleet.up(THREE)["environments"]
    off = ("--sandbox", "exec", "--member", "ana", NAME, "--", "sudo shutdown -h now")
    fleet.cli(*off)
    wait(ec2(fleet.cli), "instance_terminated", InstanceIds=[before[0]["instance_id"]])
    left = fleet.cli.json("--sandbox", "status", NAME, "-o", "json")["environments"]
    assert [each["state"] for each in left] == ["ready"] * 2, "the others do not notice"
    again = fleet.up(THREE)["environments"]
    assert again[1:] == before[1:]
    assert again[0]["instance_id"] != before[0]["instance_id"]
    # The same person, the same token: only the address is new.
    assert again[0]["jupyter_url"].split("?")[1] == before[0]["jupyter_url"].split("?")[1]


def test_it_goes_and_nothing_is_left(fleet: Fleet) -> None:
    """The last but one here: it takes the fleet away."""
    cli, running = fleet.cli, fleet.up(THREE)["environments"]
    authority = cli("--sandbox", "ca", NAME).stdout
    receipt = cli.json("--sandbox", "down", NAME, "-o", "json")
    assert receipt["remaining"] == dict.fromkeys(KINDS, 0)
    assert sorted(receipt["released"]["instances"]) == sorted(e["instance_id"] for e in running)
    assert len(receipt["released"]["volumes"]) == 3
    assert len(receipt["released"]["parameters"]) == 3
    for environment in running:
        with pytest.raises(OSError, match="refused"):
            get(environment["tensorboard_url"], authority=authority)
    gone = cli("--sandbox", "down", NAME)
    assert gone.returncode == 0
    assert "nothing to do" in gone.stderr
    assert cli("--sandbox", "status", NAME).returncode == 1
    client = ec2(cli)
    assert not client.describe_security_groups(Filters=OF_FLEET)["SecurityGroups"]
    assert not client.describe_key_pairs(Filters=OF_FLEET)["KeyPairs"]


def test_the_aws_cli_sees_none_of_it_any_more(fleet: Fleet, aws: str) -> None:
    """Taken away by now, or here where this test runs alone."""
    assert fleet.cli("--sandbox", "down", NAME).returncode == 0
    assert not any(seen(fleet.cli, aws, NAME).values())
