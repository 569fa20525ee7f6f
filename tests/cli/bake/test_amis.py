"""`fleet amis` through the command line: tables, JSON, and one line for every mistake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.plan import tags
from fleet.workflows.bake import amis
from fleet.workflows.bake.ami_copies import copy_each
from fleet.workflows.context import Context
from tests.command import InProcess, write_spec
from tests.sandbox.cloud.recording import Served
from tests.workflows.bake.shelves import MANIFEST, Shelf

pytestmark = pytest.mark.slow

OTHER = "210987654321"
NOWHERE = "ami-0123456789abcdef1"


@dataclass(frozen=True)
class Team:
    """The command line, and the ids of a recipe's images: two that were promoted in turn, and a candidate."""

    run: InProcess
    shelf: Shelf
    old: str
    stable: str
    candidate: str
    foreign: str


@pytest.fixture
def team(served: Served, own: InProcess, context: Context) -> Team:
    shelf = Shelf(served, context)
    newer = MANIFEST.replace("2.13.0", "2.14.0").replace('"apt":{', '"apt":{"jq":["1.7",110],')
    return Team(
        own,
        shelf,
        shelf.stable("team-1"),
        shelf.stable("team-2", manifest=newer),
        shelf.candidate("team-3", manifest=""),
        shelf.begin("theirs-1", **{tags.MANAGED_BY: "somebody"}),
    )


def lines(run: InProcess, *arguments: str) -> list[str]:
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_what_there_is_to_see(team: Team) -> None:
    user = team.shelf.region.launched(image=team.old, name="workshop", member="ana")["InstanceId"]
    heading, *rows = lines(team.run, "amis", "ls")
    assert heading.split()[:4] == ["RECIPE", "AMI", "STATUS", "BASE"]
    assert [row.split()[1:3] for row in rows] == [
        [team.candidate, "candidate"],
        [team.stable, "stable"],
        [team.old, "superseded"],
    ]
    assert rows[2].endswith(f"{user} (workshop/ana)")
    listed = team.run.json("amis", "ls", "team", "-o", "json")["images"]
    assert [one["status"] for one in listed] == ["candidate", "stable", "superseded"]
    assert listed[1]["monthly_usd"] > 0
    none = team.run("amis", "ls", "nothing")
    assert (none.returncode, none.stdout) == (0, "")
    assert none.stderr == "no baked image of recipe nothing in us-east-1\n"


def test_one_image_and_what_is_on_it(team: Team) -> None:
    text = "\n".join(lines(team.run, "amis", "show", "team"))
    assert f"{team.stable} (team-2)" in text
    assert "in 18m" in text
    assert "Ubuntu 24.04, 40.3 GiB on its disk" in text
    assert "2.14.0" not in text
    text = "\n".join(lines(team.run, "amis", "show", team.old, "--packages", "--all-regions"))
    assert "torch    2.13.0" in text
    assert "none in another region" in text
    bare = team.run("amis", "show", team.candidate)
    assert (bare.returncode, bare.stderr) == (0, "no list of its packages is kept\n")


def test_what_changed_between_two(team: Team) -> None:
    told = lines(team.run, "amis", "diff", team.old, "team")
    assert told[1].split() == ["apt", "added", "jq", "-", "1.7", "+110", "KiB"]
    assert told[2].split()[1:5] == ["changed", "torch", "2.13.0", "2.14.0"]
    assert "apt: 1 added, 0 removed, 0 changed, +110 KiB" in told
    found = team.run.json("amis", "diff", team.old, team.stable, "-o", "json")
    assert [section["where"] for section in found["sections"]] == ["apt", "/opt/pytorch"]
    assert "the same packages" in lines(team.run, "amis", "diff", "team", team.stable)


def test_a_name_moves_from_one_image_to_the_next_and_back(team: Team, tmp_path: Path) -> None:
    spec = str(write_spec(tmp_path, "class", image="{name: team}", members="[ana]"))

    def planned() -> str:
        found = team.run.json("plan", spec, "-o", "json")["image"]
        assert isinstance(found, dict)
        return str(found["id"])

    assert planned() == team.stable
    told = team.run("amis", "promote", "--back", "team", "--yes")
    assert told.stdout == f"team means {team.old}\n"
    assert f"now it means {team.stable}" in told.stderr
    assert planned() == team.old
    promoted = team.run.json("amis", "promote", team.stable, "--yes", "-o", "json")
    assert (promoted["stable"], promoted["before"], promoted["changed"]) == (
        team.stable,
        team.old,
        True,
    )
    assert planned() == team.stable
    already = team.run("amis", "promote", team.stable)
    assert (already.returncode, already.stdout) == (0, f"team means {team.stable} already\n")


def test_a_recipes_name_means_no_candidate(team: Team, tmp_path: Path) -> None:
    team.shelf.candidate("young-1")
    spec = str(write_spec(tmp_path, "class", image="{name: young}", members="[ana]"))
    done = team.run("plan", spec)
    assert done.returncode == 1
    assert "recipe young has no stable image in this region" in done.stderr


def test_share_copy_deprecate_and_remove(team: Team) -> None:
    told = lines(team.run, "amis", "share", team.stable, "--with", f"{OTHER},111122223333")
    assert told == [f"{team.stable} is shared with 111122223333, {OTHER}"]
    told = lines(team.run, "amis", "share", team.stable, "--stop", "111122223333")
    assert told == [f"{team.stable} is shared with {OTHER}"]
    words = ("amis", "copy", team.stable, "--to", "eu-west-1,us-west-2", "--encrypted")
    copies = team.run.json(*words, "-o", "json")["copies"]
    assert [(one["region"], one["made"]) for one in copies] == [
        ("eu-west-1", True),
        ("us-west-2", True),
    ]
    assert all(line.endswith(", there already") for line in lines(team.run, *words))
    elsewhere = team.run.json("--region", "eu-west-1", "amis", "show", "team", "-o", "json")
    assert elsewhere["image_id"] == copies[0]["image_id"]
    assert elsewhere["manifest"]["sections"]
    told = lines(team.run, "amis", "deprecate", team.old, "--after", "90d")
    assert told[0].startswith(f"{team.old} is deprecated from 2")
    assert "deprecated from" in "".join(lines(team.run, "amis", "show", team.old))
    assert f"{datetime.now(UTC) + timedelta(days=90):%Y-%m-%d}" in lines(team.run, "amis", "ls")[3]
    told = lines(team.run, "amis", "deprecate", team.old, "--never")
    assert told == [f"{team.old} is deprecated never"]
    gone = team.run.json("amis", "rm", team.old, team.candidate, "--yes", "-o", "json")
    assert gone["removed"] == [team.old, team.candidate]
    assert len(gone["snapshots"]) == 2
    assert [row.split()[1] for row in lines(team.run, "amis", "ls")[1:]] == [team.stable]


def test_mistakes_are_one_line_each(team: Team) -> None:
    user = team.shelf.region.launched(image=team.old)["InstanceId"]
    cases: list[tuple[tuple[str, ...], int, str]] = [
        (("show", NOWHERE), 1, f"image {NOWHERE} is not there in us-east-1: check the id"),
        (("show", "nobody"), 1, "there is no image of a recipe nobody in us-east-1"),
        (("show", team.foreign), 1, "was not made by `fleet bake`: `fleet amis ls` lists"),
        (("show", "ami-nonsense"), 2, "'ami-nonsense' is not an AMI id: write it like ami-"),
        (("diff", team.old, team.candidate), 1, "no list of packages is kept with"),
        (
            ("promote", team.candidate),
            1,
            "is a candidate: its try-out was not passed: `fleet bake`",
        ),
        (("promote", team.foreign), 1, "was not made by `fleet bake`"),
        (("promote", team.old), 2, "pass --yes"),
        (("promote",), 2, "promote takes an AMI, or --back with a recipe"),
        (("promote", team.old, "--back", "team"), 2, "promote takes an AMI, or --back"),
        (("promote", "--back", "nobody"), 1, "has no image that was stable before"),
        (("share", team.stable), 2, "nobody is named: write --with ACCOUNT"),
        (("share", team.stable, "--with", "12"), 2, "--with 12 is not an account's id"),
        (("share", team.stable, "--with", OTHER, "--stop", OTHER), 2, "--with and --stop both"),
        (("copy", team.stable, "--to", "us-east-1"), 2, "--to us-east-1 is where the image is"),
        (("copy", team.stable, "--to", "eu-wst-1"), 1, "region eu-wst-1 does not exist"),
        (("copy", team.stable, "--to", "eu-west-1", "--kms-key", "?"), 2, "--kms-key "),
        (("deprecate", team.old), 2, "deprecate takes --after or --never: write one of the two"),
        (("deprecate", team.old, "--after", "soon"), 2, "--after "),
        (("deprecate", team.old, "--after", "9999d"), 2, "EC2 takes a minute to 10 years"),
        (("rm", team.stable, "--yes"), 1, "is the stable image of recipe team: promote another"),
        (("rm", team.old, "--yes"), 1, f"{team.old} is used by {user}: take that away first"),
        (("rm", team.foreign, "--yes"), 1, "was not made by `fleet bake`"),
        (("rm", NOWHERE, "--yes"), 1, f"image {NOWHERE} is not there in us-east-1"),
        (("rm", team.candidate), 2, "pass --yes"),
    ]
    for arguments, code, said in cases:
        done = team.run("amis", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), (arguments, done.stderr)
        last = done.stderr.splitlines()[-1]
        assert last.startswith("fleet: "), (arguments, done.stderr)
        assert said in last, arguments
    assert sorted(team.shelf.statuses()) == ["team-1", "team-2", "team-3"]


def test_a_key_of_another_region_is_told_before_anything_is_copied(team: Team) -> None:
    key = "arn:aws:kms:us-west-2:123456789012:alias/team"
    done = team.run("amis", "copy", team.stable, "--to", "us-west-2,eu-west-1", "--kms-key", key)
    assert done.returncode == 2
    assert "--kms-key is a key of us-west-2, and --to is eu-west-1" in done.stderr
    assert team.shelf.statuses("us-west-2") == {}


def test_a_region_that_fails_is_told_and_the_others_stand(team: Team) -> None:
    team.shelf.served.cloud.faults.add("image-fails", calls=1)
    words = ("amis", "copy", team.stable, "--to", "eu-west-1", "--to", "us-west-2")
    done = team.run(*words)
    assert done.returncode == 3, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "it is removed: run the same command again" in done.stderr
    # Again, within the short deadlines of this context: EC2 gives the id of the removed copy once more, and the
    # command looks out for that one for a minute (tests/workflows/bake/test_amis.py).
    copy_each(team.shelf.context, team.shelf.image(team.stable), ["eu-west-1", "us-west-2"])
    again = team.run(*words)
    assert (again.returncode, len(again.stdout.splitlines())) == (0, 2), again.stderr


def test_a_removal_that_was_broken_off_is_seen_and_goes_on(team: Team) -> None:
    (snapshot,) = team.shelf.image(team.old).snapshot_ids
    team.shelf.served.ec2.deregister_image(ImageId=team.old)
    listed = team.run("amis", "ls")
    assert (
        f"snapshots that no image needs any more, of a removal that was broken off: {snapshot}"
        in (listed.stderr)
    )
    done = team.run("amis", "rm", team.old, "--yes")
    assert (done.returncode, done.stdout) == (0, f"removed: {snapshot}\n"), done.stderr
    assert amis.prune(team.shelf.context, "team", 1).snapshots == ()
