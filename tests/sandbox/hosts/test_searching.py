"""What a process host's root searches, packs and empties is the host's own, wherever a path or a link leads."""

from __future__ import annotations

import asyncio
import subprocess
import tarfile
from pathlib import Path

import pytest

from fleet.sandbox.hosts import programs
from fleet.sandbox.hosts.commands import Answer, Become, Reply, Request
from fleet.sandbox.hosts.paths import HostPaths
from fleet.sandbox.hosts.sudo import Sudo


@pytest.fixture
def paths(tmp_path: Path) -> HostPaths:
    found = HostPaths(tmp_path / "a.host+x", "ubuntu")
    for folder in (found.home, found.tmp, found.root / "etc/ssh", found.root / "var/log"):
        folder.mkdir(parents=True)
    return found


def sudo(paths: HostPaths, *words: str) -> Answer:
    asked = Request("sudo", ("-n", *words), str(paths.home))
    return asyncio.run(Sudo(paths, lambda _: None).sudo(asked))


def run(paths: HostPaths, *words: str, given: bytes = b"") -> bytes:
    answer = sudo(paths, *words)
    assert isinstance(answer, Become), answer
    done = subprocess.run(
        [answer.program, *answer.argv[1:]], input=given, capture_output=True, timeout=60, check=True
    )
    return done.stdout


def refused(paths: HostPaths, *words: str) -> str:
    answer = sudo(paths, *words)
    assert isinstance(answer, Reply), answer
    assert answer.code == 1
    return answer.err


def test_a_search_begins_on_the_host(paths: HostPaths) -> None:
    (paths.root / "etc/ssh/ssh_host_key").write_text("x")
    (paths.home / "a").write_text("x")
    (paths.tmp / "t").write_text("x")
    found = run(paths, "find", "/etc", "/home", "/tmp", "/var/tmp", "-type", "f", "-print")
    expected = [
        paths.root / "etc/ssh/ssh_host_key",
        paths.home / "a",
        paths.tmp / "t",
        paths.tmp / "t",
    ]
    assert found.decode().split() == [str(each) for each in expected]
    assert run(paths, "find", "/", "-maxdepth", "0").decode().strip() == str(paths.root)


def test_patterns_of_whole_paths_are_the_host_s_too(paths: HostPaths) -> None:
    for name in ("keep", "drop"):
        (paths.root / f"var/log/{name}").write_text("x")
    words = ["find", "/var", "-path", "/var/log/dr*", "-prune", "-o", "-type", "f", "-print"]
    assert run(paths, *words).decode().split() == [str(paths.root / "var/log/keep")]


def test_what_is_found_can_be_removed_and_emptied(paths: HostPaths) -> None:
    log = paths.root / "var/log/odd\nname"
    log.write_text("x")
    names = run(paths, "find", "/var/log", "-type", "f", "-print0").decode().rstrip("\0")
    run(paths, "truncate", "-s", "0", "--", names)
    assert log.read_text() == ""
    run(paths, "rm", "-rf", "--", names)
    assert not log.exists()
    run(paths, "truncate", "-s", "0", "/etc/machine-id")
    assert (paths.root / "etc/machine-id").read_text() == ""


@pytest.mark.parametrize(
    "words",
    [
        ["find", "/proc"],
        ["find", "/dev", "-delete"],
        ["find", "/sys/class"],
        ["find", "relative"],
        ["find", "-name", "x"],
        ["find", "/etc", "-exec", "rm", "{}", ";"],
        ["find", "/etc", "-fprint", "/x"],
        ["find", "/etc", "-L"],
        ["tar", "-x", "-f", "/x"],
        ["tar", "-c", "/etc"],
        ["tar", "-c", "-T", "/etc/passwd"],
        ["tar", "-c", "-T", "-", "--to-command=x"],
        ["tar", "-c", "-T", "-", "-f", "/etc/x"],
    ],
)
def test_what_would_leave_the_host_is_refused(paths: HostPaths, words: list[str]) -> None:
    assert refused(paths, *words).startswith("sudo: ")


@pytest.mark.parametrize(
    "words",
    [["rm", "-rf"], ["truncate", "-s", "0"], ["find"], ["tee"], ["sed", "-i", "d"], ["touch"]],
)
def test_no_link_leads_out(paths: HostPaths, tmp_path: Path, words: list[str]) -> None:
    machine = Path("/usr/share")
    (paths.root / "var/spool").symlink_to(machine)
    (paths.home / "out").symlink_to(machine)
    assert "leads out of this host" in refused(paths, *words, "/var/spool/doc/x")
    assert "leads out of this host" in refused(paths, *words, f"{paths.home}/out/doc/x")


def test_a_link_itself_is_the_host_s(paths: HostPaths, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("x")
    (paths.root / "var/log/link").symlink_to(other)
    assert run(paths, "find", "/var/log/link", "-mindepth", "1", "-delete") == b""
    run(paths, "rm", "-rf", "/var/log/link")
    assert (other / "kept").exists()


def test_files_are_packed_by_their_names_on_the_host(paths: HostPaths, tmp_path: Path) -> None:
    for file in (paths.root / "etc/x", paths.home / "y z", paths.tmp / "t"):
        file.write_text("x")
    names = run(paths, "find", "/etc", "/home", "/tmp", "-type", "f", "-print0")
    words = ("tar", "-c", "-P", "--no-recursion", "--ignore-failed-read", "--null", "-T", "-")
    packed = tmp_path / "packed.tar"
    packed.write_bytes(run(paths, *words, given=names))
    with tarfile.open(packed) as archive:
        assert archive.getnames() == ["/etc/x", "/home/ubuntu/y z", "/tmp/t"]


def clean(cloud: Path, *words: str) -> Answer:
    answer = programs.cloud_init(cloud / "instance/boot-finished")
    return answer(Request("cloud-init", ("clean", *words), "/"))


def test_cloud_init_forgets_all_boots(tmp_path: Path) -> None:
    cloud = tmp_path / "var/lib/cloud"
    for folder in (cloud / "instance", cloud / "data", cloud / "seed", tmp_path / "var/log"):
        folder.mkdir(parents=True)
    (cloud / "data/instance-id").write_text("i-1")
    log = tmp_path / "var/log/cloud-init-output.log"
    log.write_text("x")
    assert clean(cloud) == Reply()
    assert [each.name for each in cloud.iterdir()] == ["seed"]
    assert log.exists()
    assert clean(cloud, "--logs", "--seed") == Reply()
    assert list(cloud.iterdir()) == []
    assert not log.exists()


def test_cloud_init_follows_no_link(tmp_path: Path) -> None:
    machine = tmp_path / "machine/lib/cloud"
    (machine / "instance").mkdir(parents=True)
    (tmp_path / "host").mkdir()
    (tmp_path / "host/var").symlink_to(tmp_path / "machine")
    answer = clean(tmp_path / "host/var/lib/cloud")
    assert isinstance(answer, Reply)
    assert answer.code == 1
    assert (machine / "instance").exists()
