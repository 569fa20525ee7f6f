"""`fleet sandbox fault` against a real sandbox, and what it says to a slip of the hand."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.command import Cli, InProcess


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    cli = InProcess(tmp_path_factory.mktemp("sandbox"))
    assert cli("sandbox", "start").returncode == 0
    yield cli
    assert cli("sandbox", "stop").returncode == 0


@pytest.fixture
def running(started: InProcess) -> Iterator[InProcess]:
    yield started
    assert started("sandbox", "fault", "clear").returncode == 0


def fault(cli: Cli, *arguments: str) -> tuple[int, str, str]:
    done = cli("sandbox", "fault", *arguments)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_add_list_and_clear(running: InProcess) -> None:
    code, out, err = fault(
        running, "add", "error", "--action", "DescribeVpcs", "--code", "Blocked", "--calls", "2"
    )
    number = int(out.strip().removeprefix("f"))
    what = "error --action DescribeVpcs --code Blocked --calls 2"
    assert (code, err) == (0, f"sandbox: {what}, 2 calls\n")
    told = running.sandbox_environment()
    ec2 = boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1").client(
        "ec2", endpoint_url=told["AWS_ENDPOINT_URL"], config=Config(retries={"mode": "standard"})
    )
    with pytest.raises(ClientError) as caught:
        ec2.describe_vpcs()
    assert caught.value.response["Error"]["Code"] == "Blocked"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    fault(running, "add", "throttle", "--rate", "30%", "--for", "1h")
    code, out, _ = fault(running, "list")
    heading, first, second = (" ".join(line.split()) for line in out.splitlines())
    assert (code, heading) == (0, "ID FAULT HITS LEFT")
    assert first == f"f{number} {what} 1 call 1 call"
    assert second.startswith(f"f{number + 1} throttle --rate 30% --for 1h 0 calls 3")
    one, two = running.json("sandbox", "fault", "list", "-o", "json")["faults"]
    assert (one["id"], one["hits"], one["left"], one["over"]) == (f"f{number}", 1, 1, False)
    assert two["options"] == {"rate": "30%", "for": "1h"}
    assert 3500 < two["seconds_left"] <= 3600
    code, _, err = fault(running, "clear", "throttle")
    assert (code, err) == (0, f"sandbox: f{number + 1} throttle --rate 30% --for 1h is off\n")
    code, _, err = fault(running, "clear", "f99")
    assert code == 2
    assert err.startswith("fleet: no fault 'f99' is switched on: ")
    assert fault(running, "clear")[0] == 0
    assert fault(running, "list") == (0, "", "sandbox: no fault is switched on\n")


@pytest.mark.slow
def test_what_only_the_sandbox_knows(running: InProcess) -> None:
    for arguments, said in (
        (("spot-interruption", "--member", "eve"), "no running instance is like --member eve"),
        (("deny", "--action", "CreateFlet"), "did you mean CreateFleet?"),
    ):
        code, out, err = fault(running, "add", *arguments)
        assert (code, out) == (2, "")
        assert said in err
        assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "no-capcity"), 2, "no fault 'no-capcity': did you mean no-capacity?"),
        (("add", "error", "--action", "CreateFleet"), 2, "fault error needs --code"),
        (("add", "throttle", "--rate", "2"), 2, "--rate '2' cannot be read: give a share"),
        (("add", "no-capacity", "--rate", "0.3"), 2, "No such option"),
        (("add",), 2, "Missing command: see `fleet sandbox fault add --help`"),
        (("add", "throttle"), 1, "no sandbox is running: run `fleet sandbox start`"),
        (("list",), 1, "no sandbox is running"),
        (("clear",), 1, "no sandbox is running"),
    ],
)
def test_one_line_for_a_slip(
    bare: InProcess, arguments: tuple[str, ...], code: int, said: str
) -> None:
    returned, out, err = fault(bare, *arguments)
    assert (returned, out) == (code, "")
    assert said in err
    assert len(err.splitlines()) == 1
