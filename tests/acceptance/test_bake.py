"""A bake from end to end, with the real command line and hosts that really boot."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command import FLEET, Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

RECIPE = """
name: {name}
image: {{framework: pytorch, os: ubuntu-24.04}}
builder: {{instances: {{types: [g5.xlarge]}}}}
steps:
{steps}
tests:
{tests}
"""
KEY_ID, SECRET = "AKIAQ3EGRIB5KZ7HXW2N", "q9Xc2Rb7Lm4Tz8Vw1Ys6Kd3Nf5Hg0Jp2Qa4Ue7Io"


AS_ELSEWHERE = pytest.mark.deep
"""For faults that each run meets in tests/workflows/bake, and on a host in `test_bake_host`: here from end to end."""


def write_recipe(folder: Path, name: str, steps: list[str], tests: list[str]) -> str:
    path = folder / f"{name}.yaml"
    lists = ("\n".join(f"  - {one}" for one in each) for each in (steps, tests))
    path.write_text(RECIPE.format(name=name, steps=next(lists), tests=next(lists)))
    return str(path)


def images(cli: Cli, recipe: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = cli.json("--sandbox", "amis", "ls", "-o", "json")["images"]
    return [one for one in found if one["recipe"] == recipe]


def no_builders(cli: Cli) -> bool:
    fleets = cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    return not [one for one in fleets if one["fleet"].startswith(("bake-", "try-"))]


def on_host(cli: Cli, fleet: str, line: str) -> str:
    told = cli.json("--sandbox", "exec", "-o", "json", fleet, "--", line)
    (said,) = {(one["exit_status"], one["stdout"]) for one in told["results"]}
    assert said[0] == 0, told
    return str(said[1])


@dataclass(frozen=True)
class Baked:
    """An image of the recipe `team`, from a bake that was killed among its steps and went on."""

    cli: Cli
    recipe: str
    said_first: str
    told: str
    report: dict[str, Any]

    @property
    def disk(self) -> Path:
        return self.cli.folder / "sandbox" / "images" / str(self.report["image_id"])


# Over a minute with the first test: a builder and a host for its try-out install all that there is.
@pytest.fixture(scope="module")
def baked(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    steps = [
        "pip: [einops==0.8.2]",
        "run: date +%s%N >~/first; echo 'import os' >~/.python_history; mkdir ~/data",
        "run: echo now; test -e ~/again || sleep 300",
    ]
    tests = ["import: [torch, einops]", "gpu: true", "run: ls ~; cat ~/first"]
    recipe = write_recipe(tmp_path_factory.mktemp("team"), "team", steps, tests)
    _kill_when_it_says(cli, recipe, "now")
    first = on_host(cli, "bake-team", "touch ~/again; cat ~/first")
    done = cli("--sandbox", "bake", recipe, "-o", "json")
    assert done.returncode == 0, done.stderr
    return Baked(cli, recipe, first, done.stderr, json.loads(done.stdout))


def _kill_when_it_says(cli: Cli, recipe: str, word: str) -> None:
    with subprocess.Popen(
        [FLEET, "--sandbox", "bake", recipe],
        env=cli.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.endswith(f"| {word}\n"):
                break
        else:
            raise AssertionError("the bake ended by itself")
        process.send_signal(signal.SIGKILL)


def test_a_bake_that_is_killed_among_its_steps_goes_on(baked: Baked) -> None:
    assert "in place" in baked.told
    assert f"| {baked.said_first}" in baked.told
    (image,) = images(baked.cli, "team")
    assert image["status"] == "stable"
    assert no_builders(baked.cli)


def test_what_is_baked_has_nothing_of_the_builder(baked: Baked) -> None:
    cli, report = baked.cli, baked.report
    assert (report["outcome"], report["status"]) == ("baked", "stable")
    assert len(report["tests"]) == 3
    assert all(sum(one["remaining"].values()) == 0 for one in report["receipts"])
    assert baked.disk.is_dir()
    _holds_nothing_of_its_own(baked.disk)

    refused = cli("--sandbox", "amis", "rm", report["image_id"], "--yes")
    assert refused.returncode == 1
    assert "is the stable image" in refused.stderr
    again = cli("--sandbox", "bake", baked.recipe)
    assert again.returncode == 0
    assert "nothing to bake" in again.stderr
    assert [one["image_id"] for one in images(cli, "team")] == [report["image_id"]]


def _holds_nothing_of_its_own(disk: Path) -> None:
    """No key, token, certificate, host key or history is on an image's disk, under whatever name."""
    installed = {"site-packages", "node_modules", "share"}
    files = [
        path
        for path in disk.rglob("*")
        if path.is_file() and not path.is_symlink() and not installed & {*path.parts}
    ]
    forbidden = {"authorized_keys", "server.pem", "token", ".bash_history", ".python_history"}
    assert not [path for path in files if path.name in forbidden]
    assert not [path for path in files if path.name.startswith(("ssh_host_", "cookie_secret"))]
    assert not [path for path in files if b"PRIVATE KEY-----" in path.read_bytes()]


@AS_ELSEWHERE
def test_tests_that_fail_leave_no_image(cli: Cli, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path, "broken", ["run: 'true'"], ["run: 'true'", "run: echo the reason; exit 7"]
    )
    done = cli("--sandbox", "bake", recipe)
    assert done.returncode == 1
    assert "1 of 2 tests failed: " in done.stderr
    assert "the reason" in done.stderr
    assert images(cli, "broken") == []
    assert no_builders(cli)


@AS_ELSEWHERE
def test_an_image_that_fails_its_try_out_is_no_name_s(cli: Cli, tmp_path: Path) -> None:
    """What its test asks for is there on the builder, and sanitised away."""
    recipe = write_recipe(
        tmp_path, "forgetful", ["run: touch ~/.bash_history"], ["run: cat ~/.bash_history"]
    )
    done = cli("--sandbox", "bake", recipe)
    assert done.returncode == 1
    assert "did not pass its try-out" in done.stderr
    (image,) = images(cli, "forgetful")
    assert image["status"] == "candidate"
    assert no_builders(cli)
    spec = write_spec(tmp_path, "hopeful", image="{name: forgetful}")
    refused = cli("--sandbox", "up", str(spec))
    assert refused.returncode == 1
    assert "forgetful" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert cli("--sandbox", "amis", "rm", image["image_id"], "--yes").returncode == 0


@AS_ELSEWHERE
def test_planted_secrets_stop_a_bake(cli: Cli, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path,
        "leaky",
        [
            f"run: echo 'aws_secret_access_key = {SECRET}' >~/notes.txt",
            f"run: echo 'AWS_ACCESS_KEY_ID={KEY_ID}' | sudo tee /etc/environment >/dev/null",
            f"run: echo 'export AWS_SECRET_ACCESS_KEY={SECRET}' >~/.bash_history",
        ],
        [],
    )
    text = Path(recipe).read_text().replace("tests:\n\n", "")
    Path(recipe).write_text(text)
    done = cli("--sandbox", "bake", recipe)
    assert done.returncode == 1
    for place in ("notes.txt", "/etc/environment", ".bash_history"):
        assert place in done.stderr
    found = [line for line in done.stderr.splitlines() if SECRET in line or KEY_ID in line]
    assert not [line for line in found if "step" not in line]
    assert images(cli, "leaky") == []
    assert no_builders(cli)


def test_an_environment_begins_with_what_was_baked_and_an_image_is_made_of_it(
    baked: Baked, tmp_path: Path
) -> None:
    """The environment goes on. Over a minute: an image is made twice, and five hosts boot one after the other."""
    cli = baked.cli
    spec = write_spec(tmp_path, "lab", members="[ana]", image="{name: team}")
    done = cli("--sandbox", "up", str(spec), "-o", "json")
    assert done.returncode == 0, done.stderr
    assert baked.report["image_id"] in done.stderr
    (ana,) = json.loads(done.stdout)["environments"]
    look = [
        "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import torch, einops'",
        "test -d ~/data",
        "test ! -e ~/.python_history",
        "test ~/.fleet/jupyter/.fleet-installed -ot ~/.ssh/authorized_keys",  # before its first boot
        "grep -c . ~/.ssh/authorized_keys",
    ]
    assert on_host(cli, "lab", " && ".join(look)) == "1\n"

    mine = f"echo data >~/work; mkdir -p ~/.aws; echo 'aws_secret_access_key = {SECRET}' >~/.aws/credentials"
    on_host(cli, "lab", mine)
    since = on_host(cli, "lab", "cat ~/.fleet/token; ls -i ~/work")
    report = cli.json(
        "--sandbox", "bake", "--from", "lab/ana", "--name", "anas-setup", "-o", "json"
    )
    assert on_host(cli, "lab", "cat ~/.fleet/token; ls -i ~/work") == since
    (still,) = cli.json("--sandbox", "status", "lab", "-o", "json")["environments"]
    assert (still["state"], still["instance_id"]) == ("ready", ana["instance_id"])
    (image,) = images(cli, "anas-setup")
    assert image["image_id"] == report["image_id"]
    files = [path for path in baked.disk.parent.rglob("credentials") if path.is_file()]
    assert not [path for path in files if SECRET in path.read_text(errors="replace")]

    copied = write_spec(tmp_path, "copied", members="[ben]", image="{name: anas-setup}")
    assert cli("--sandbox", "up", str(copied)).returncode == 0
    assert on_host(cli, "copied", "cat ~/work; ls -A ~/.aws 2>/dev/null || true") == "data\n"
    for fleet in ("lab", "copied"):
        assert cli("--sandbox", "down", fleet).returncode == 0
