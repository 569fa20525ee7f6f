"""The two minutes of a Spot notice: the person's hook and copies, as the person, each within its time."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clock import boot_seconds
from interruption import Interruption
from person import Person

from .places import make_person, put_program, soon

pytestmark = pytest.mark.slow


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    """A person who has `aws` on the path; it notes how it was called."""
    put_program(tmp_path / "programs", "aws", f'echo "$PWD: $*" >>{tmp_path}/copied')
    monkeypatch.setenv("PATH", f"{tmp_path}/programs:/usr/bin:/bin")
    return make_person(tmp_path)


@pytest.fixture
def somebody() -> Iterator[Person]:
    """A person who is not root, with a home that they reach."""
    if os.geteuid() != 0:
        pytest.skip("only root can run a program as somebody else")
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    person = make_person(folder)
    nobody = pwd.getpwnam("nobody")
    os.chown(person.home, nobody.pw_uid, nobody.pw_gid)
    yield person
    shutil.rmtree(folder)


def _ended(interruption: Interruption) -> tuple[str | None, str | None]:
    """What became of hook and sync, once both have ended."""
    soon(lambda: interruption.hook != "running" and interruption.sync not in {"running", "awaited"})
    return interruption.hook, interruption.sync


def _interrupt(person: Person, sync: object = None, seconds: float = 120) -> Interruption:
    text = "" if sync is None else json.dumps(sync)
    interruption = Interruption(person, text, boot_seconds)
    if text:
        interruption.sync = "awaited"
    interruption.start(seconds)
    return interruption


def test_without_hook_and_folders_nothing_is_done(person: Person) -> None:
    assert _ended(_interrupt(person)) == (None, None)


def test_the_hook_runs_at_home(person: Person) -> None:
    put_program(person.home, "on-interruption", 'sleep 0.2; echo "$PWD $HOME" >ran')
    interruption = _interrupt(person)
    assert interruption.hook == "running"
    assert _ended(interruption) == ("done", None)
    assert (person.home / "ran").read_text() == f"{person.home} {person.home}\n"


@pytest.mark.parametrize(
    ("script", "word"),
    [("exit 3", "failed: exit status 3"), ("kill -9 $$", "failed: signal 9")],
)
def test_a_hook_that_fails(person: Person, script: str, word: str) -> None:
    put_program(person.home, "on-interruption", script)
    assert _ended(_interrupt(person))[0] == word


def test_a_hook_that_cannot_be_started(person: Person) -> None:
    (person.home / "on-interruption").write_text("no program")
    assert _ended(_interrupt(person))[0] == "failed: Permission denied"


def test_a_hook_that_takes_too_long_ends_with_all_it_started(person: Person) -> None:
    script = "trap '' TERM; sleep 1000 & echo $! >child; wait; sleep 1000"
    put_program(person.home, "on-interruption", script)
    start = boot_seconds()
    assert _ended(_interrupt(person, seconds=4))[0] == "timed out"
    assert boot_seconds() - start >= 3, "three quarters of the time is the hook's"
    child = int((person.home / "child").read_text())
    soon(lambda: _is_gone(child))


def _is_gone(pid: int) -> bool:
    try:
        return ") Z" in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def test_folders_are_copied_after_the_hook(person: Person, tmp_path: Path) -> None:
    put_program(person.home, "on-interruption", f"echo hook >>{tmp_path}/copied")
    folders = [
        {"from": "~/work", "to": "s3://bucket/ana"},
        {"from": "/data", "to": "s3://bucket/data"},
    ]
    assert _ended(_interrupt(person, folders)) == ("done", "done")
    assert (tmp_path / "copied").read_text().splitlines() == [
        "hook",
        f"{person.home}: s3 sync --only-show-errors {person.home}/work s3://bucket/ana",
        f"{person.home}: s3 sync --only-show-errors /data s3://bucket/data",
    ]


def test_a_copy_that_fails_holds_no_other_up(person: Person, tmp_path: Path) -> None:
    put_program(tmp_path / "programs", "aws", f'echo "$5" >>{tmp_path}/copied; [ "$5" != s3://a ]')
    folders = [{"from": "~/a", "to": "s3://a"}, {"from": "~/b", "to": "s3://b"}]
    assert _ended(_interrupt(person, folders))[1] == "failed: exit status 1"
    assert (tmp_path / "copied").read_text() == "s3://a\ns3://b\n"


def test_a_copy_ends_before_the_notice_does(person: Person, tmp_path: Path) -> None:
    put_program(tmp_path / "programs", "aws", "exec sleep 1000")
    assert (
        _ended(_interrupt(person, [{"from": "~/a", "to": "s3://a"}], seconds=2))[1] == "timed out"
    )


def test_a_machine_without_aws(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    folders = [{"from": "~/a", "to": "s3://a"}]
    assert _ended(_interrupt(person, folders))[1] == "failed: No such file or directory"


@pytest.mark.parametrize("sync", ["[", {"from": "~/a"}, [{"from": "~/a"}]])
def test_a_setting_that_is_not_readable(person: Person, sync: object) -> None:
    assert _ended(_interrupt(person, sync))[1] == "failed: FLEET_SYNC is not readable"


def test_the_persons_programs_have_the_persons_rights(
    somebody: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_SYNC", "of the watcher")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    script = (
        "id -u >who; id -G >>who; env >environment; ps -o sid= -p $$ >session; echo $$ >>session"
    )
    put_program(somebody.home, "on-interruption", script)
    assert somebody.run([str(somebody.home / "on-interruption")], seconds=60) == "done"
    nobody = pwd.getpwnam("nobody")
    groups = subprocess.check_output(["id", "-G", "nobody"], text=True, timeout=60)
    assert (somebody.home / "who").read_text() == f"{nobody.pw_uid}\n{groups}"
    session, pid = (somebody.home / "session").read_text().split()
    assert session == pid, "a session of its own"
    told = (somebody.home / "environment").read_text()
    assert f"HOME={somebody.home}\n" in told
    assert "AWS_REGION=eu-central-1\n" in told
    assert "FLEET_SYNC" not in told


def test_what_is_not_the_persons_own_is_not_read(somebody: Person) -> None:
    with pytest.raises(PermissionError, match="not a file of the person's own"):
        somebody.read("token")  # root's, as a hard link to anything of root's would be
    (somebody.files / "token").unlink()
    os.mkfifo(somebody.files / "token")
    with pytest.raises(PermissionError, match="not a file of the person's own"):
        somebody.read("token")
