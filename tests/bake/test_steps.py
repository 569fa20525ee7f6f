"""Steps of a recipe, run by bash over package managers and downloads made for them."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from fleet.assets.shipped import load_bake_texts
from fleet.plan.bake.scripts import STAMPS, render_step
from fleet.recipe.steps import AptStep, CondaStep, DnfStep, DownloadStep, GitStep, Step

SUDO = 'while [[ $1 == -* || $1 == *=* ]]; do shift; done\nexec "$@"'


def program(folder: Path, name: str, text: str) -> None:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def take(folder: Path, step: Step, **environment: str) -> subprocess.CompletedProcess[str]:
    """Take a step with a home and, first on PATH, programs of its own below the folder."""
    (folder / "home").mkdir(exist_ok=True)
    if not (folder / "bin/sudo").exists():
        program(folder, "sudo", SUDO)
    told = {"HOME": str(folder / "home"), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"}
    script = render_step(load_bake_texts(), step, index=0, stamp="stamp-1", seconds=60)
    done = subprocess.run(
        ["bash", "-c", script],
        env=told | environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    stamps = folder / "home" / STAMPS
    assert stamps.exists() is (done.returncode == 0)
    stamps.unlink(missing_ok=True)
    return done


def apt(folder: Path, *installed: str) -> None:
    there = "\n".join(
        f'  {each.split("=")[0]}) echo "installed {each.split("=")[1]}" ;;' for each in installed
    )
    program(folder, "dpkg-query", f'case "${{@: -1}}" in\n{there}\n*) exit 1 ;;\nesac')
    program(folder, "apt-get", f'echo "$*" >>{folder}/asked')


def asked(folder: Path) -> list[str]:
    path = folder / "asked"
    return path.read_text().splitlines() if path.exists() else []


def test_packages_that_are_there_are_not_asked_for(tmp_path: Path) -> None:
    apt(tmp_path, "git=1:2.43", "curl=8.5.0")
    done = take(tmp_path, AptStep(packages=("git", "curl=8.5.0")))
    assert (done.returncode, asked(tmp_path)) == (0, [])
    assert done.stdout == "in place, and not asked for anywhere\n"


def test_only_what_is_missing_is_installed_and_the_lists_are_new(tmp_path: Path) -> None:
    apt(tmp_path, "git=1:2.43", "curl=8.5.0")
    assert take(tmp_path, AptStep(packages=("git", "tmux", "curl=8.6"))).returncode == 0
    update, install = asked(tmp_path)
    assert update == "-q update"
    assert install.endswith(" install tmux curl=8.6")
    assert "DPkg::Lock::Timeout=600" in install


def test_a_package_manager_that_is_not_there_is_told(tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path / "bin")}
    for name in ("mkdir", "id", "env", "bash", "timeout", "sed"):
        program(tmp_path, name, f'exec /usr/bin/{name} "$@"')
    for step, other in ((AptStep(packages=("git",)), "dnf"), (DnfStep(packages=("git",)), "apt")):
        done = take(tmp_path, step, **bare)
        assert done.returncode == 1
        assert done.stdout == f"this image has no {step.kind}: write the step as {other}\n"


def test_dnf_installs_what_rpm_does_not_know(tmp_path: Path) -> None:
    program(tmp_path, "rpm", '[ "${@: -1}" = git ]')
    program(tmp_path, "dnf", f'echo "$*" >>{tmp_path}/asked')
    assert take(tmp_path, DnfStep(packages=("git",))).returncode == 0
    assert asked(tmp_path) == []
    assert take(tmp_path, DnfStep(packages=("git", "tmux", "@development-tools"))).returncode == 0
    assert asked(tmp_path) == ["-y install tmux @development-tools"]


def test_conda_makes_an_environment_that_is_not_there(tmp_path: Path) -> None:
    step = CondaStep(packages=("numpy=2.2", "scipy"), env="science", channels=("conda-forge",))
    told = take(tmp_path, step)
    assert (told.returncode, told.stdout) == (1, "this image has no conda: write the step as pip\n")
    where = tmp_path / "home/miniconda3"
    program(where, "conda", f'echo "$*" >>{tmp_path}/asked')
    assert take(tmp_path, step).returncode == 0
    (where / "envs/science/conda-meta").mkdir(parents=True)
    assert take(tmp_path, step).returncode == 0
    rest = f"--yes --quiet --prefix {where}/envs/science --channel conda-forge numpy=2.2 scipy"
    assert asked(tmp_path) == [f"create {rest}", f"install {rest}"]


@pytest.fixture
def repository(tmp_path: Path) -> dict[str, str]:
    """Stands for https://example.org/code.git: a branch, a tag; gives the environment that leads there."""
    work = tmp_path / "served/code.git"
    work.mkdir(parents=True)
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a"}
    environment = {**os.environ, **who, "GIT_COMMITTER_EMAIL": "a@b", "HOME": str(tmp_path)}

    def git(*words: str) -> None:
        subprocess.run(
            ["git", "-C", str(work), *words], check=True, capture_output=True, env=environment
        )

    git("init", "-b", "main")
    for text, name in (("one", "v1"), ("two", "v2")):
        (work / "file").write_text(text)
        git("add", ".")
        git("commit", "-m", text)
        git("tag", name)
    git("branch", "old", "v1")
    return {
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{tmp_path}/served/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://example.org/",
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }


@pytest.mark.parametrize(
    ("ref", "text"), [(None, "two"), ("v1", "one"), ("old", "one"), ("main", "two")]
)
def test_a_repository_is_cloned_at_its_ref(
    tmp_path: Path, repository: dict[str, str], ref: str | None, text: str
) -> None:
    step = GitStep(url="https://example.org/code.git", ref=ref)
    done = take(tmp_path, step, **repository)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "home/code/file").read_text() == text
    assert not (tmp_path / "home/.fleet/bake/clone").exists()


def test_a_clone_of_its_own_is_made_anew_and_nothing_else_is_touched(
    tmp_path: Path, repository: dict[str, str]
) -> None:
    url = "https://example.org/code.git"
    assert take(tmp_path, GitStep(url=url, to="~/src/it"), **repository).returncode == 0
    done = take(tmp_path, GitStep(url=url, to="~/src/it", ref="v1"), **repository)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "home/src/it/file").read_text() == "one"
    (tmp_path / "home/mine").mkdir()
    done = take(tmp_path, GitStep(url=url, to="~/mine"), **repository)
    assert done.returncode == 1
    assert done.stdout.endswith("mine is there already: name another place with to\n")
    assert take(tmp_path, GitStep(url=url, ref="v9"), **repository).returncode != 0
    assert not (tmp_path / "home/code").exists()


def test_a_download_is_put_in_place_when_its_sum_is_right(tmp_path: Path) -> None:
    content = "weights\n"
    script = f"""
echo "$*" >>{tmp_path}/asked; cat >>{tmp_path}/configuration
while [ "$1" != --output ]; do shift; done
cat {tmp_path}/served >"$2"
"""
    program(tmp_path, "curl", script)
    url = 'https://example.org/w.bin?signature="a\\b"'
    right = hashlib.sha256(content.encode()).hexdigest()
    step = DownloadStep(url=url, sha256=right, to="~/models/w.bin")
    (tmp_path / "served").write_text("tampered")
    done = take(tmp_path, step)
    wrong = hashlib.sha256(b"tampered").hexdigest()
    assert (done.returncode, done.stdout) == (1, f"its SHA-256 is {wrong}, not {right}\n")
    assert not (tmp_path / "home/models").exists()
    (tmp_path / "served").write_text(content)
    for _ in range(2):
        assert take(tmp_path, step).returncode == 0
    assert (tmp_path / "home/models/w.bin").read_text() == content
    assert len(asked(tmp_path)) == 2, "what is there and right is not asked for again"
    assert "example.org" not in "".join(asked(tmp_path)), "a URL may be signed"
    assert (tmp_path / "configuration").read_text().splitlines()[0] == (
        'url = "https://example.org/w.bin?signature=\\"a\\\\b\\""'
    )
