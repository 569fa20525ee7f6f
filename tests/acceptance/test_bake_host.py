"""What a bake does on its builder, on a host that is a process: steps, tests, manifest, scan, sanitising."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.assets.recipe_files import read_recipe, read_recipe_files
from fleet.errors import BakeError
from fleet.recipe.files import RecipeFiles
from fleet.recipe.model import Recipe
from fleet.workflows.bake.host import collect_manifest, run_steps, run_tests, sanitise, scan
from tests.acceptance.builder import Building, building
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

NAME = "builders"
RECIPE = """
name: team
image: {{framework: pytorch, os: ubuntu-24.04}}
builder: {{instances: {{types: [g5.xlarge]}}}}
steps:
  - pip: [einops]
  - pip: [tabulate]
    venv: team
  - files: {{./conf: ~/conf, ./one.txt: /opt/team/one.txt, ./conf/more: /opt/more}}
  - script: ./setup.sh
  - run: |
      {last}
tests:
  - run: python -c 'import torch, tabulate; print("has", tabulate.__name__)'
    expect: has tabulate
    venv: team
  - run: echo 2
    expect: number two
  - run: echo before; exit 3
  - import: [torch, einops]
  - import: [tabulate]
  - gpu: true
  - notebook: ./check.ipynb
  - notebook: ./broken.ipynb
"""
NOTEBOOK = """{{"cells": [{{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {{}}, "outputs": [],
 "source": ["import {module}"]}}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}"""
LAST = "echo one >>~/ran; echo to stderr >&2"
PLANTED = {
    "/home/ubuntu/notes.txt": "my key: AKIAQYLPMN5HHHFPZAM2",
    "/etc/environment": "DB_PASSWORD=hunter22",
    "/home/ubuntu/.bash_history": "export WANDB_API_KEY=0123456789abcdef0123",
    "/home/ubuntu/.aws/credentials": "aws_secret_access_key = kWcrlUX5JEDGMSUx0abcdRfiCYzzzz1234567890",
    "/var/log/setup.log": "cloning https://bob:s3cr3tpw9@git.example.org/x",
    "/root/deploy.pem": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj",
    "/home/ubuntu/a b/$(x)\t;": "ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789",
}
VALUES = ("AKIAQ", "hunter22", "0123456789abcdef", "kWcrl", "s3cr3t", "MIIEv", "ghp_")


@pytest.fixture(scope="module")
def opened(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Building]:
    folder = tmp_path_factory.mktemp("bake")
    spec = write_spec(folder, NAME, members="[builder]", instances="{types: [g5.xlarge]}")
    try:
        up = cli("--sandbox", "up", str(spec))
        assert up.returncode == 0, up.stderr
        with pytest.MonkeyPatch.context() as patch, building(cli, NAME, patch) as found:
            yield found
    finally:
        assert cli("--sandbox", "down", NAME).returncode == 0


@pytest.fixture(scope="module")
def disk(cli: Cli, opened: Building) -> Path:
    (builder,) = cli.json("--sandbox", "status", NAME, "-o", "json")["environments"]
    return cli.folder / "sandbox" / "hosts" / str(builder["instance_id"])


@pytest.fixture(autouse=True)
def _silence(opened: Building) -> None:
    opened.events.clear()
    opened.lines.clear()


def recipe(folder: Path, last: str = LAST) -> tuple[Recipe, RecipeFiles]:
    (folder / "conf/more").mkdir(parents=True, exist_ok=True)
    (folder / "conf/more/a b").write_text("there\n")
    (folder / "one.txt").write_text("1\n")
    (folder / "setup.sh").write_text("#!/bin/bash\ncat ~/conf/more/*; sudo cat /opt/team/one.txt\n")
    (folder / "check.ipynb").write_text(NOTEBOOK.format(module="torch, einops"))
    (folder / "broken.ipynb").write_text(NOTEBOOK.format(module="nowhere_to_be_found"))
    (folder / "recipe.yaml").write_text(RECIPE.format(last=last))
    found = read_recipe(folder / "recipe.yaml")
    return found, read_recipe_files(folder, found)


def test_a_step_that_fails_is_told_and_the_others_are_not_taken_again(
    opened: Building, tmp_path: Path, disk: Path
) -> None:
    request, files = recipe(tmp_path, "echo almost; no-such-program")
    with pytest.raises(BakeError, match=r"step 5 of 5 .* failed: exit status 127") as failed:
        run_steps(opened.host, request, files, deadline=opened.deadline)
    assert failed.value.log[0] == "almost"
    assert "no-such-program" in failed.value.log[-1]
    assert [line for line in opened.lines if line in {"there", "1", "almost"}] == [
        "there",
        "1",
        "almost",
    ]
    assert (disk / "root/opt/team/one.txt").read_text() == "1\n"
    assert (disk / "root/opt/more/a b").read_text() == "there\n"
    opened.events.clear()

    request, files = recipe(tmp_path)
    run_steps(opened.host, request, files, deadline=opened.deadline)
    in_place = [f"step {n} of 5: {request.steps[n - 1].title}: in place" for n in range(1, 5)]
    assert opened.told("done") == [*in_place, f"step 5 of 5: {request.steps[4].title}"]
    assert opened.lines[-1] == "to stderr"
    run_steps(opened.host, request, files, deadline=opened.deadline)
    assert (disk / "home/ubuntu/ran").read_text() == "one\n"


def test_a_step_that_hangs_ends_on_the_host_too(opened: Building, tmp_path: Path) -> None:
    request, files = recipe(tmp_path, "echo begun; sleep 4321")
    with pytest.raises(BakeError, match="did not end in time"):
        run_steps(opened.host, request, files, deadline=opened.host.context.clock() + 5)
    listed = subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout
    assert "sleep 4321" not in listed.splitlines()


def test_all_tests_run_whatever_the_others_say(opened: Building, tmp_path: Path) -> None:
    request, files = recipe(tmp_path)
    results = run_tests(opened.host, request, files, gpus=1, deadline=opened.deadline)
    passed = [result.passed for result in results]
    assert passed == [True, False, False, True, False, True, True, False], results
    assert results[1].log[-1] == "its output does not have 'number two' in it"
    assert results[2].log == ("before", "exit status 3, before")
    assert any("No module named 'tabulate'" in line for line in results[4].log)
    assert any("nowhere_to_be_found" in line for line in results[7].log)
    assert "has tabulate" in opened.lines
    (counted,) = (
        each
        for each in run_tests(opened.host, request, files, gpus=4, deadline=opened.deadline)
        if each.title == "gpu"
    )
    assert counted.log[-1].endswith("nvidia-smi lists 1 GPUs, and the instance type has 4")


def test_the_manifest_has_what_was_installed(opened: Building) -> None:
    manifest = collect_manifest(opened.host, deadline=opened.deadline)
    assert manifest.system == "Ubuntu 24.04"
    assert manifest.environments["~/venvs/team"]["tabulate"].kib > 10
    assert "einops" in manifest.environments["~/anaconda3/envs/pytorch"]
    assert "jupyterlab" in manifest.environments["~/.fleet/jupyter"]


def test_secrets_are_found_and_not_repeated(opened: Building, disk: Path) -> None:
    look = {"known": opened.known, "sanitised": False}
    assert scan(opened.host, deadline=opened.deadline, **look) == ()  # type: ignore[arg-type]
    for path, text in PLANTED.items():
        place = disk / path.removeprefix("/") if path.startswith("/home") else disk / f"root{path}"
        place.parent.mkdir(exist_ok=True)
        place.write_text(f"{text}\n")
    (disk / "home/ubuntu/copy").write_text(f"x\n{opened.known[0]}\n")
    found = scan(opened.host, deadline=opened.deadline, **look)  # type: ignore[arg-type]
    shown = {path.replace("\t", "\\t") for path in PLANTED}
    assert {each.path for each in found} == {*shown, "/home/ubuntu/copy"}
    assert next(each for each in found if each.path.endswith("copy")).line == 2
    told = f"{found} {opened.events} {opened.lines}"
    assert not [value for value in (*VALUES, *opened.known) if value in told]
    for name in (
        "home/ubuntu/notes.txt",
        "home/ubuntu/copy",
        "root/root/deploy.pem",
        "root/etc/environment",
    ):
        (disk / name).unlink()
    (disk / "home/ubuntu/a b/$(x)\t;").unlink()


def test_sanitised_nothing_of_the_builder_is_left_and_nothing_of_the_machine_is_gone(
    opened: Building, disk: Path
) -> None:
    """The last of these: afterwards nobody can log in. It may be done again."""
    secrets = [disk / "home/ubuntu/.fleet/token", disk / "home/ubuntu/.ssh/authorized_keys"]
    assert all(each.stat().st_size for each in secrets)
    (disk / "tmp/scratch").write_text("x")
    before = machine()
    for _ in range(2):
        sanitise(opened.host, deadline=opened.deadline)
        left = scan(opened.host, known=opened.known, sanitised=True, deadline=opened.deadline)
        assert left == ()
    assert machine() == before
    assert opened.told("done")[-1] == "scan: clean"
    assert not any(each.exists() for each in (*secrets, disk / "tmp/scratch"))
    assert list((disk / "root/etc/ssh").glob("ssh_host_*")) == []
    kept = {each.name for each in (disk / "home/ubuntu/.fleet").iterdir()}
    assert kept >= {"jupyter", "kernels"}
    assert kept <= {"jupyter", "kernels", "probe", "probed", "watchers"}
    assert (disk / "home/ubuntu/venvs/team/bin/python").exists()
    for file in (
        each for each in disk.rglob("*") if each.is_file() and each.stat().st_size < 1 << 20
    ):
        if file.is_relative_to(disk / "home") or file.is_relative_to(disk / "root"):
            data = file.read_bytes()
            assert not [one for one in opened.known if one.encode() in data], file


def machine() -> list[tuple[str, int, int]]:
    """What a careless removal would take from this machine."""
    tops = (
        "/etc",
        "/var/log",
        "/var/lib/cloud",
        "/var/lib/systemd",
        "/root/.ssh",
        "/home",
        "/opt",
        "/var/tmp",
    )
    found = []
    for top in tops:
        for folder, _, names in os.walk(top):
            if folder.count("/") < 4:
                told = Path(folder).lstat()
                found.append((folder, told.st_ino, len(names)))
    return found
