"""What there is and what it costs, through the command line: tables, JSON, and one line for what is wrong."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.command import InProcess, write_spec

pytestmark = pytest.mark.slow

G = "L-DB2E81BA"
NOWHERE = "http://127.0.0.1:9"


def rows(done: subprocess.CompletedProcess[str]) -> list[list[str]]:
    """The cells of a table, heading first."""
    assert done.returncode == 0, done.stderr
    return [re.split(r"  +", line.strip()) for line in done.stdout.splitlines()]


def test_images_as_a_table_and_as_json(cli: InProcess) -> None:
    asked = ("images", "--framework", "pytorch", "--for", "g5.xlarge")
    heading, *table = rows(cli(*asked))
    assert heading == ["ID", "FRAMEWORK", "VERSION", "OS", "ARCH", "DRIVER", "BUILT", "PATCHED UNTIL"]  # fmt: skip
    told = cli.json(*asked, "-o", "json")["images"]
    assert [row[0] for row in table] == [image["id"] for image in told]
    assert {image["architecture"] for image in told} == {"x86_64"}
    assert {image["kind"] for image in told} == {"single"}
    built = [image["created_at"] for image in told]
    assert built == sorted(built, reverse=True)


def test_images_that_ec2_hides(cli: InProcess) -> None:
    asked = ("images", "--framework", "tensorflow", "--version", "2.12", "-o", "json")
    assert cli.json(*asked) == {"images": []}
    assert len(cli.json(*asked, "--include-deprecated")["images"]) == 3


def test_no_image_is_no_error(cli: InProcess) -> None:
    done = cli("images", "--framework", "mxnet")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "no such Deep Learning AMI in us-east-1; AWS stopped publishing MXNet images; "
        "older ones: --include-deprecated\n"
    )


def test_quotas_as_a_table_and_as_json(own: InProcess) -> None:
    asked = ("quota", "--count", "20", "g5.xlarge", "g6.xlarge")
    heading, row = rows(own(*asked))
    assert heading[:4] == ["QUOTA", "FAMILY", "MARKET", "TYPES"]
    assert row == [G, "G and VT", "on-demand", "g5.xlarge, g6.xlarge", "0", "80", "512", "0", "-"]
    told = own.json(*asked, "-o", "json")
    assert told["fits"]
    assert told["request"] is None
    assert told["quotas"] == [
        {
            "code": G,
            "name": "G and VT",
            "market": "on-demand",
            "instance_types": ["g5.xlarge", "g6.xlarge"],
            "used": 0,
            "needed": 80,
            "limit": 512,
            "missing": 0,
            "value_to_ask_for": 512,
        }
    ]


def test_a_quota_that_is_too_small_is_asked_for_once(own: InProcess) -> None:
    asked = ("quota", "--count", "200", "--market", "spot", "g5.xlarge")
    done = own(*asked)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "L-3819A6DF: --request asks AWS for 800 vCPUs"
    assert done.stdout.splitlines()[1].split()[-2:] == ["288", "800"]
    filed = own(*asked, "--request", "--yes", "-o", "json")
    assert filed.returncode == 0, filed.stderr
    assert '"filed_now": true' in filed.stdout
    again = own(*asked, "--request", "--yes", "-o", "json")
    assert again.returncode == 0, again.stderr
    assert '"filed_now": false' in again.stdout
    assert "a request is open already, for 800 vCPUs (PENDING)" in again.stderr


def test_quotas_of_a_spec_leave_out_what_costs_too_much(cli: InProcess, tmp_path: Path) -> None:
    spec = write_spec(
        tmp_path, "capped", instances="{types: [g5.12xlarge, g5.xlarge], max_price: 2}"
    )
    (check,) = cli.json("quota", str(spec), "-o", "json")["quotas"]
    assert (check["instance_types"], check["needed"]) == (["g5.xlarge"], 8)


def test_types_that_an_image_can_run_on(cli: InProcess) -> None:
    done = cli("types", "--image", "pytorch", "--arch", "arm64")
    heading, *table = rows(done)
    assert heading[-1] == "QUOTA"
    assert {row[0].partition(".")[0] for row in table} == {"g5g"}
    assert {row[-1] for row in table} == {f"G and VT ({G})"}
    assert re.fullmatch(r"note: held against ami-\w+, arm64: PyTorch .*\n", done.stderr)


LINES = [
    (("--region", "us-moon-1", "images"), 1, "region us-moon-1 does not exist"),
    (("--region", "us-moon-1", "types"), 1, "region us-moon-1 does not exist"),
    (("--region", "us-moon-1", "quota", "g5.xlarge"), 1, "region us-moon-1 does not exist"),
    (("--region", "us-moon-1", "plan", "SPEC"), 1, "region us-moon-1 does not exist"),
    (("images", "--for", "g5.huge"), 1, "instance type g5.huge does not exist in us-east-1"),
    (("images", "--for", "g4ad.xlarge"), 1, "g4ad.xlarge: its accelerators are AMD's"),
    (("images", "--version", "new"), 2, "--version 'new' is not a version"),
    (("types", "--image", "jax"), 2, "--image 'jax' is neither a framework nor an AMI id"),
    (("types", "--image", "ami-12345678"), 1, "image ami-12345678 is not visible in this region"),
    (("types", "--image", "mxnet"), 1, "AWS stopped publishing MXNet images"),
    (("types", "--gpu-memory", "16"), 2, "--gpu-memory "),
    (("types", "--max-price", "cheap"), 2, "--max-price "),
    (("quota", "g5.huge"), 1, "instance type g5.huge does not exist in us-east-1"),
    (("quota", "g5"), 2, "'g5' is neither a spec that is there nor an instance type"),
    (("quota", ""), 2, "'' is neither a spec that is there nor an instance type"),
    (("quota", "nowhere.yaml"), 2, "nowhere.yaml: is not there"),
    (("quota", "SPEC", "g5.xlarge"), 2, "stands beside others"),
    (("plan", "SPEC", "--types", "p5e.48xlarge"), 1, "p5e.48xlarge: not offered in us-east-1"),
    (("quota", "OFFERED"), 1, "p5e.48xlarge: not offered in us-east-1"),
    (("plan", "CAPPED"), 1, "instances.max_price 0.1 is below the price of every instance type"),
    (("quota", "CAPPED"), 1, "instances.max_price 0.1 is below the price of every instance type"),
    (("plan", "UNPRICED"), 1, "the On-Demand price of a1.large is not known"),
]


@pytest.mark.parametrize(("words", "code", "line"), LINES, ids=lambda value: str(value)[:60])
def test_what_is_wrong_is_one_line(
    cli: InProcess, tmp_path: Path, words: tuple[str, ...], code: int, line: str
) -> None:
    instances = {
        "SPEC": "{types: [g5.xlarge]}",
        "OFFERED": "{types: [p5e.48xlarge]}",
        "CAPPED": "{types: [g5.xlarge], max_price: 0.1}",
        "UNPRICED": "{types: [a1.large], max_price: 0.1}",
    }
    specs = {
        name: str(write_spec(tmp_path, name.lower(), instances=text))
        for name, text in instances.items()
    }
    done = cli(*(specs.get(word, word) for word in words))
    assert (done.returncode, done.stdout) == (code, "")
    (told,) = done.stderr.splitlines()
    assert told.startswith("fleet: ")
    assert line in told


def test_a_price_that_there_is_none_of_is_told_in_one_line(cli: InProcess, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "unpriced", instances="{types: [a1.large], market: spot-first}")
    done = cli("plan", str(spec))
    assert done.returncode == 0, done.stderr
    notes = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines() if "  prices " in line]
    assert notes == [
        "no Spot price of a1.large is known",
        "no On-Demand price of a1.large is known",
    ]
    assert "at most price unknown" in done.stdout
    told = cli.json("plan", str(spec), "-o", "json")
    assert told["hourly_usd"] is None
    assert told["price_notes"] == notes
    done = cli("cost", "estimate", "1xa1.large:3h")
    assert done.stderr == "note: a1.large has no On-Demand price in us-east-1 that is known\n"


def test_a_price_list_that_does_not_answer_is_told_in_one_line(
    cli: InProcess, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, "offline", instances="{types: [g5.xlarge]}")
    cli.json("plan", str(spec), "-o", "json")
    without = InProcess(tmp_path, {**cli.extra, "AWS_ENDPOINT_URL_PRICING": NOWHERE})
    here = without("plan", str(spec))
    assert here.returncode == 0, here.stderr
    notes = [line for line in here.stdout.splitlines() if line.startswith("  prices ")]
    assert "no prices from the Price List: AWS does not answer" in notes[0]
    assert "of 2026-07-20 and " in notes[1]
    assert "from the snapshot" in notes[1]
    there = without("--region", "eu-west-1", "plan", str(spec))
    assert there.returncode == 0, there.stderr
    assert "no On-Demand price of g5.xlarge is known" in there.stdout
    types = without("--region", "eu-west-1", "types", "--max-price", "1")
    assert (types.returncode, types.stdout) == (0, "")
    assert [line.partition(":")[0] for line in types.stderr.splitlines()] == [
        "no instance type in eu-west-1 is like that",
        "note",
        "note",
    ]
