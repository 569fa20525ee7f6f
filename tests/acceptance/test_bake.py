"""A bake from end to end, with the real command line and hosts that really boot."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

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


def write_recipe(folder: Path, name: str, steps: list[str], tests: list[str]) -> str:
    path = folder / f"{name}.yaml"
    lists = ("\n".join(f"  - {one}" for one in each) for each in (steps, tests))
    path.write_text(RECIPE.format(name=name, steps=next(lists), tests=next(lists)))
    return str(path)


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """A sandbox of this module's own: what images it has is compared."""
    running = Cli(tmp_path_factory.mktemp("bakes"))
    yield running
    stopped = running("sandbox", "stop")
    assert stopped.returncode == 0, stopped.stderr


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


def test_what_is_baked_is_there_and_nothing_of_the_builder(yard: Cli, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path,
        "team",
        ["pip: [einops==0.8.2]", "run: echo 'import os' >~/.python_history; mkdir ~/data"],
        ["import: [torch, einops]", "gpu: true", "run: ls ~"],
    )
    report = yard.json("--sandbox", "bake", recipe, "-o", "json")
    assert (report["outcome"], report["status"]) == ("baked", "stable")
    assert len(report["tests"]) == 3
    assert all(sum(one["remaining"].values()) == 0 for one in report["receipts"])
    assert no_builders(yard)

    kept = Path(yard.environment["FLEET_SANDBOX_DIR"]) / "images" / report["image_id"]
    assert kept.is_dir()
    _holds_nothing_of_its_own(kept)

    spec = write_spec(tmp_path, "three", image="{name: team}")
    done = yard("--sandbox", "up", str(spec))
    assert done.returncode == 0, done.stderr
    assert report["image_id"] in done.stderr
    look = [
        "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import torch, einops'",
        "test -d ~/data",
        "test ! -e ~/.python_history",
        "test ~/.fleet/jupyter/.fleet-installed -ot ~/.ssh/authorized_keys",  # before its first boot
        "grep -c . ~/.ssh/authorized_keys",
    ]
    assert on_host(yard, "three", " && ".join(look)) == "1\n"
    refused = yard("--sandbox", "amis", "rm", report["image_id"], "--yes")
    assert refused.returncode == 1
    assert "is the stable image" in refused.stderr
    assert yard("--sandbox", "down", "three").returncode == 0

    again = yard("--sandbox", "bake", recipe)
    assert again.returncode == 0
    assert "nothing to bake" in again.stderr
    assert [one["image_id"] for one in images(yard, "team")] == [report["image_id"]]


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


def test_tests_that_fail_leave_no_image(yard: Cli, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path, "broken", ["run: 'true'"], ["run: 'true'", "run: echo the reason; exit 7"]
    )
    done = yard("--sandbox", "bake", recipe)
    assert done.returncode == 1
    assert "1 of 2 tests failed: " in done.stderr
    assert "the reason" in done.stderr
    assert images(yard, "broken") == []
    assert no_builders(yard)


def test_an_image_that_fails_its_try_out_is_no_name_s(yard: Cli, tmp_path: Path) -> None:
    """What its test asks for is there on the builder, and sanitised away."""
    recipe = write_recipe(
        tmp_path, "forgetful", ["run: touch ~/.bash_history"], ["run: cat ~/.bash_history"]
    )
    done = yard("--sandbox", "bake", recipe)
    assert done.returncode == 1
    assert "did not pass its try-out" in done.stderr
    (image,) = images(yard, "forgetful")
    assert image["status"] == "candidate"
    assert no_builders(yard)
    spec = write_spec(tmp_path, "hopeful", image="{name: forgetful}")
    refused = yard("--sandbox", "up", str(spec))
    assert refused.returncode == 1
    assert "forgetful" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert yard("--sandbox", "amis", "rm", image["image_id"], "--yes").returncode == 0


def test_planted_secrets_stop_a_bake(yard: Cli, tmp_path: Path) -> None:
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
    done = yard("--sandbox", "bake", recipe)
    assert done.returncode == 1
    for place in ("notes.txt", "/etc/environment", ".bash_history"):
        assert place in done.stderr
    found = [line for line in done.stderr.splitlines() if SECRET in line or KEY_ID in line]
    assert not [line for line in found if "step" not in line]
    assert images(yard, "leaky") == []
    assert no_builders(yard)


def test_a_bake_that_is_killed_among_its_steps_goes_on(yard: Cli, tmp_path: Path) -> None:
    recipe = write_recipe(
        tmp_path,
        "patient",
        ["run: date +%s%N >~/first", "run: echo now; test -e ~/again || sleep 300"],
        ["run: cat ~/first"],
    )
    with subprocess.Popen(
        [FLEET, "--sandbox", "bake", recipe],
        env=yard.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.endswith("| now\n"):
                break
        else:
            raise AssertionError("the bake ended by itself")
        process.send_signal(signal.SIGKILL)
    first = on_host(yard, "bake-patient", "touch ~/again; cat ~/first")
    done = yard("--sandbox", "bake", recipe)
    assert done.returncode == 0, done.stderr
    assert "in place" in done.stderr
    assert f"| {first}" in done.stderr
    (image,) = images(yard, "patient")
    assert image["status"] == "stable"
    assert no_builders(yard)


def test_an_image_is_made_of_an_environment_that_goes_on(yard: Cli, tmp_path: Path) -> None:
    spec = write_spec(tmp_path, "lab", members="[ana]")
    (ana,) = yard.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
    mine = f"echo data >~/work; mkdir -p ~/.aws; echo 'aws_secret_access_key = {SECRET}' >~/.aws/credentials"
    on_host(yard, "lab", mine)
    since = on_host(yard, "lab", "cat ~/.fleet/token; ls -i ~/work")

    report = yard.json(
        "--sandbox", "bake", "--from", "lab/ana", "--name", "anas-setup", "-o", "json"
    )
    assert on_host(yard, "lab", "cat ~/.fleet/token; ls -i ~/work") == since
    (still,) = yard.json("--sandbox", "status", "lab", "-o", "json")["environments"]
    assert (still["state"], still["instance_id"]) == ("ready", ana["instance_id"])
    (image,) = images(yard, "anas-setup")
    assert image["image_id"] == report["image_id"]
    kept = Path(yard.environment["FLEET_SANDBOX_DIR"]) / "images"
    files = [path for path in kept.rglob("credentials") if path.is_file()]
    assert not [path for path in files if SECRET in path.read_text(errors="replace")]

    copied = write_spec(tmp_path, "copied", members="[ben]", image="{name: anas-setup}")
    assert yard("--sandbox", "up", str(copied)).returncode == 0
    assert on_host(yard, "copied", "cat ~/work; ls -A ~/.aws 2>/dev/null || true") == "data\n"
    for fleet in ("lab", "copied"):
        assert yard("--sandbox", "down", fleet).returncode == 0
