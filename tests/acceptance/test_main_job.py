"""The main job, end to end: a spec becomes proven URLs, converges, and goes away again."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.command import Cli, processes_of, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

KINDS = [
    "instances", "spot_requests", "volumes", "network_interfaces", "security_groups", "key_pairs",
    "launch_templates", "images", "snapshots", "parameters",
]  # fmt: skip
FIELDS = [
    "member", "instance_id", "instance_type", "market", "availability_zone", "state", "address",
    "jupyter_url", "tensorboard_url", "hourly_usd", "expires_at", "reason", "watchers",
]  # fmt: skip


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
    values = cli.sandbox_environment()
    return boto3.client(
        "ec2",
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )


def test_a_fleet_comes_converges_grows_and_goes(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "lifecycle", members="[ana, 'Zoë O''Neil']")
    first = cli.json("--sandbox", "up", str(spec), "-o", "json")
    assert list(first) == ["fleet", "region", "hourly_usd", "environments"]
    ana, zoe = first["environments"]
    assert list(ana) == FIELDS
    assert [ana["member"], zoe["member"]] == ["ana", "Zoë O'Neil"]
    assert [ana["state"], zoe["state"]] == ["ready", "ready"]
    assert first["hourly_usd"] == pytest.approx(2 * 1.006)

    # Each URL opens for its own token and for nothing else.
    authority = cli("--sandbox", "ca", "lifecycle").stdout
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
    again = cli.json("--sandbox", "up", str(spec), "-o", "json")
    assert again == first
    grown = write_spec(tmp_path, "lifecycle", members="[ana, 'Zoë O''Neil', cyd]")
    third = cli.json("--sandbox", "up", str(grown), "-o", "json")
    assert third["environments"][:2] == first["environments"]
    assert third["environments"][2]["member"] == "cyd"
    assert third["environments"][2]["expires_at"] == ana["expires_at"]

    described = cli.json("--sandbox", "status", "lifecycle", "-o", "json")
    assert steady(described) == steady(third)
    assert all(e["watchers"]["lifetime"]["alive"] for e in described["environments"])
    assert steady(cli.json("--sandbox", "urls", "lifecycle", "-o", "json")) == steady(described)
    receipts = cli.json("--sandbox", "status", "lifecycle", "--proof", "-o", "json")
    for receipt in (environment["proof"] for environment in receipts["environments"]):
        assert receipt["jupyter"] == {"without_token": 403, "with_token": 200}
        assert receipt["tensorboard"] == {"without_token": 302, "with_token": 200}
        assert (receipt["cell_executed"], receipt["gpus"]) == (True, 1)
        assert receipt["certified_until"] > ana["expires_at"]
    table = cli("--sandbox", "status", "lifecycle", "--proof").stdout.splitlines()
    assert table[0].split()[:3] == ["MEMBER", "STATE", "PROVEN"]
    assert all(
        "refused 403, with token 200  refused 302, with token 200" in row for row in table[1:]
    )
    listed = cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [(f["fleet"], f["running"]) for f in listed if f["fleet"] == "lifecycle"] == [
        ("lifecycle", 3)
    ]

    receipt = cli.json("--sandbox", "down", "lifecycle", "-o", "json")
    assert receipt["remaining"] == dict.fromkeys(KINDS, 0)
    assert sorted(receipt["released"]["instances"]) == sorted(
        e["instance_id"] for e in third["environments"]
    )
    assert len(receipt["released"]["volumes"]) == 3
    assert len(receipt["released"]["parameters"]) == 3
    for environment in third["environments"]:
        with pytest.raises(OSError, match="refused"):
            get(environment["tensorboard_url"], authority=authority)
    gone = cli("--sandbox", "down", "lifecycle")
    assert gone.returncode == 0
    assert "nothing to do" in gone.stderr
    assert cli("--sandbox", "status", "lifecycle").returncode == 1


def test_what_ec2_holds_is_what_was_asked(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path, "shape", members="[solo]", volume="{size: 130GiB, iops: 4000, throughput: 250}"
    )
    (solo,) = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    client = ec2(cli)
    of_fleet = [{"Name": "tag:fleet:name", "Values": ["shape"]}]
    (reservation,) = client.describe_instances(InstanceIds=[solo["instance_id"]])["Reservations"]
    (instance,) = reservation["Instances"]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags["fleet:member"] == "solo"
    assert tags["fleet:expires-at"] == solo["expires_at"]
    assert tags["fleet:host-key"].startswith("ssh-ed25519 ")
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance["KeyName"] == "fleet-shape"
    (group,) = client.describe_security_groups(Filters=of_fleet)["SecurityGroups"]
    opened = {p["FromPort"]: [r["CidrIp"] for r in p["IpRanges"]] for p in group["IpPermissions"]}
    assert opened == {port: ["127.0.0.1/32"] for port in (22, 6006, 8888)}
    assert [g["GroupId"] for g in instance["SecurityGroups"]] == [group["GroupId"]]
    (volume,) = client.describe_volumes(Filters=of_fleet)["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (130, "gp3", True)
    assert (volume["Iops"], volume["Throughput"]) == (4000, 250)
    (template,) = client.describe_launch_templates(Filters=of_fleet)["LaunchTemplates"]
    (version,) = client.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=["$Latest"]
    )["LaunchTemplateVersions"]
    assert base64.b64decode(version["LaunchTemplateData"]["UserData"]).startswith(b"#cloud-config")
    assert cli("--sandbox", "down", "shape").returncode == 0
    assert not client.describe_security_groups(Filters=of_fleet)["SecurityGroups"]
    assert not client.describe_key_pairs(Filters=of_fleet)["KeyPairs"]


def test_no_secret_shows(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "quiet", members="[solo]")
    done = cli("--sandbox", "up", str(spec), "-o", "json")
    (solo,) = json.loads(done.stdout)["environments"]
    token = solo["jupyter_url"].split("token=")[1]
    assert token not in done.stderr
    described = json.dumps(ec2(cli).describe_instances(), default=str)
    assert token not in described
    host = f"grep -l {token[:12]} /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -v self; true"
    looked = cli.json("--sandbox", "exec", "-o", "json", "quiet", "--", host)
    found = [line for line in looked["results"][0]["stdout"].splitlines() if _still_there(line)]
    assert found == [], "the token stands in a process's arguments or environment"
    modes = cli(
        "--sandbox",
        "exec",
        "quiet",
        "--",
        "stat -c '%a' ~/.fleet ~/.fleet/jupyter_server_config.json",
    )
    assert [line.split("| ")[1] for line in modes.stdout.splitlines()] == ["700", "600"]
    cli("--sandbox", "down", "quiet")


def _still_there(path: str) -> bool:
    """Leave out the searching shell and grep themselves, which have ended by now."""
    return Path(path).exists()


def test_exec_labels_and_keeps_every_result(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "run")
    cli.json("--sandbox", "up", str(spec), "-o", "json")
    done = cli("--sandbox", "exec", "run", "--", "hostname")
    assert done.returncode == 0
    assert [line.split(" | ")[0] for line in done.stdout.splitlines()] == ["ana", "ben"]
    failed = cli("--sandbox", "exec", "run", "--", "exit 4")
    assert (failed.returncode, failed.stdout) == (1, "")
    cli("--sandbox", "exec", "--member", "ana", "run", "--", "touch", "a b")
    partly = cli("--sandbox", "exec", "run", "--", "ls 'a b'")
    assert partly.returncode == 3
    assert "ben | exit status 2" in partly.stderr
    assert (
        "has no member zoe: it has ana, ben"
        in cli("--sandbox", "exec", "--member", "zoe", "run", "--", "id").stderr
    )
    if shutil.which("ssh") is None:
        pytest.skip("OpenSSH's client is not installed: `fleet ssh` was not tried")
    logged_in = cli("--sandbox", "ssh", "run", "ben", "hostname")
    assert logged_in.stdout == done.stdout.splitlines()[1].split(" | ")[1] + "\n"
    cli("--sandbox", "down", "run")


def test_bootstrap_brings_packages_files_and_script(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "digits.csv").write_text("1,2,3\n")
    (tmp_path / "setup.sh").write_text('echo "$1:done" >> ~/marker\n')
    bootstrap = "{packages: [einops], files: {./data: ~/course data}, script: ./setup.sh}"
    spec = write_spec(tmp_path, "brought", members="[solo]", bootstrap=bootstrap)
    cli.json("--sandbox", "up", str(spec), "-o", "json")
    python = "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import einops; print(einops.__name__)'"
    command = f"cat ~/'course data'/digits.csv ~/marker; {python}"
    shown = cli("--sandbox", "exec", "brought", "--", command).stdout
    assert [line.split("| ")[1] for line in shown.splitlines()] == ["1,2,3", ":done", "einops"]
    cli.json("--sandbox", "up", str(spec), "-o", "json")
    assert cli("--sandbox", "exec", "brought", "--", "wc -l < ~/marker").stdout.split()[-1] == "1"
    cli("--sandbox", "down", "brought")


def test_a_failing_script_is_told_with_its_last_lines(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "setup.sh").write_text("echo no such dataset >&2; exit 9\n")
    spec = write_spec(tmp_path, "failing", bootstrap="{script: ./setup.sh}")
    done = cli("--sandbox", "up", str(spec), "-o", "json")
    assert done.returncode == 3
    reasons = [e["reason"] for e in json.loads(done.stdout)["environments"]]
    assert all(
        "bootstrap step `script` failed (exit status 9): no such dataset" in r for r in reasons
    )
    # What runs keeps running; corrected, the next up finishes the work on the same instances.
    (tmp_path / "setup.sh").write_text("true\n")
    again = cli.json("--sandbox", "up", str(spec), "-o", "json")
    before = [e["instance_id"] for e in json.loads(done.stdout)["environments"]]
    assert [e["instance_id"] for e in again["environments"]] == before
    cli("--sandbox", "down", "failing")


def test_a_host_that_powers_off_ends_alone(cli: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "alone")
    first = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    cli("--sandbox", "exec", "--member", "ana", "alone", "--", "sudo shutdown -h now")
    for _ in range(60):
        states = [
            e["state"]
            for e in cli.json("--sandbox", "status", "alone", "-o", "json")["environments"]
        ]
        if states == ["ready"]:
            break
    assert states == ["ready"], "ana's instance ends, ben's does not notice"
    again = cli.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    assert again[1] == first[1]
    assert again[0]["instance_id"] != first[0]["instance_id"]
    # The same person, the same token: only the address is new.
    assert again[0]["jupyter_url"].split("?")[1] == first[0]["jupyter_url"].split("?")[1]
    cli("--sandbox", "down", "alone")


def test_nothing_is_left_after_stop(own: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "gone", members="[solo]")
    own.json("--sandbox", "up", str(spec), "-o", "json")
    assert processes_of(tmp_path / "sandbox")
    assert own("sandbox", "stop").returncode == 0
    assert processes_of(tmp_path / "sandbox") == []
    assert [path.name for path in (tmp_path / "sandbox").iterdir()] == ["cache"]
    told = own("sandbox", "env")
    assert (told.returncode, told.stderr) == (
        1,
        "fleet: no sandbox is running: fleet sandbox start\n",
    )
