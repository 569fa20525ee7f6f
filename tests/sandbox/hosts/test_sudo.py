"""Which files and programs a host's sudo means."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fleet.sandbox.hosts.commands import Answer, Become, Reply, Request
from fleet.sandbox.hosts.paths import HostPaths
from fleet.sandbox.hosts.sudo import Sudo


@pytest.fixture
def paths(tmp_path: Path) -> HostPaths:
    found = HostPaths(tmp_path / "host", "ubuntu")
    found.home.mkdir(parents=True)
    (found.root / "etc").mkdir(parents=True)
    return found


def sudo(paths: HostPaths, *words: str, directory: str = "") -> Answer:
    asked = Request("sudo", words, directory or str(paths.home))
    return asyncio.run(Sudo(paths, {"systemctl": "/h/systemctl"}.get).sudo(asked))


def become(paths: HostPaths, *words: str, directory: str = "") -> Become:
    answer = sudo(paths, *words, directory=directory)
    assert isinstance(answer, Become), answer
    return answer


@pytest.mark.parametrize("top", ["/etc", "/var/lib", "/usr/lib", "/opt", "/root", "/lib", "/srv"])
def test_paths_of_the_system_are_the_host_s(paths: HostPaths, top: str) -> None:
    assert become(paths, "tee", f"{top}/x").argv == ("tee", f"{paths.root}{top}/x")


def test_paths_of_home_and_tmp_stay(paths: HostPaths) -> None:
    mine = f"{paths.home}/a"
    assert become(paths, "cp", mine, "/tmp/b", "c").argv == ("cp", mine, "/tmp/b", "c")
    assert become(paths, "rm", "/home/ubuntu/a").argv == ("rm", mine)


def test_nobody_climbs_out() -> None:
    paths = HostPaths(Path("/nowhere/host"), "ubuntu")
    assert become(paths, "tee", "/tmp/../etc/x").argv[1] == f"{paths.root}/etc/x"
    assert become(paths, "tee", f"{paths.home}/../../../../x").argv[1].startswith(str(paths.root))
    assert become(paths, "tee", "../../../../x").argv[1].startswith(str(paths.root))
    assert become(paths, "tee", "../x").argv[1] == f"{paths.top}/home/x"


def test_a_folder_of_the_machine_is_the_host_s_own(paths: HostPaths) -> None:
    assert become(paths, "tee", "x", directory="/etc").directory == f"{paths.root}/etc"
    assert become(paths, "tee", "x", directory="/var/none").directory == str(paths.home)


def test_options_with_paths(paths: HostPaths) -> None:
    done = become(paths, "install", "-D", "-o", "root", "--group=root", "-m", "0600", "a", "/etc/b")
    assert done.argv == ("install", "-D", "-m", "0600", "a", f"{paths.root}/etc/b")
    done = become(paths, "cp", "--target-directory=/etc", "a")
    assert done.argv == ("cp", f"--target-directory={paths.root}/etc", "a")
    assert isinstance(sudo(paths, "cp", "-t/etc", "a"), Reply)


def test_a_sed_script_is_no_path(paths: HostPaths) -> None:
    assert become(paths, "sed", "-i", "/etc/d", "/etc/x").argv == (
        "sed",
        "-i",
        "/etc/d",
        f"{paths.root}/etc/x",
    )


def test_readers_may_look_at_the_machine_s_programs_but_not_at_its_settings(
    paths: HostPaths,
) -> None:
    assert become(paths, "test", "-x", "/usr/bin/env").argv[2] == "/usr/bin/env"
    assert become(paths, "cat", "/etc/shadow").argv[1] == f"{paths.root}/etc/shadow"
    assert become(paths, "tee", "/usr/bin/env").argv[1] == f"{paths.root}/usr/bin/env"


def test_options_of_sudo(paths: HostPaths) -> None:
    for words in (["-n", "-E", "-H"], ["-u", "ubuntu"], ["--user=root"], ["A=1"], ["-n", "--"]):
        assert become(paths, *words, "tee", "/etc/x").program.endswith("/tee")
    assert become(paths, "/usr/bin/systemctl", "start", "x").program == "/h/systemctl"
    assert sudo(paths, "-v") == Reply()
    assert sudo(paths, "chown", "-R", "root:root", "/etc") == Reply()


@pytest.mark.parametrize(
    "words", [["bash"], ["-i"], ["-s"], ["-u", "nobody", "true"], ["--odd", "true"]]
)
def test_refusals(paths: HostPaths, words: list[str]) -> None:
    answer = sudo(paths, *words)
    assert isinstance(answer, Reply)
    assert answer.code == 1
    assert answer.err.startswith("sudo: ")
