"""A container host's machine ends what is its own, and nothing of the next boot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleet.sandbox.containers import cgroups, needs
from fleet.sandbox.containers.disk import Disk
from fleet.sandbox.containers.machine import Machine, Place


def test_a_late_kill_of_the_last_boot_leaves_the_next_one_alone(tmp_path: Path) -> None:
    reason = needs.missing()
    if reason:
        pytest.skip(reason)
    group = cgroups.make(tmp_path, "i-late")
    disk = Disk(tmp_path / "host")
    disk.top.mkdir()
    # No root file system: nspawn ends at once.
    ended = Machine(Place("i-late", disk, Path("/proc/self/ns/net"), group))
    assert ended.wait() != 0

    cgroups.make(tmp_path, "i-late")
    with subprocess.Popen(["sleep", "300"]) as next_boot:
        try:
            (group / "cgroup.procs").write_text(str(next_boot.pid))
            ended.kill()
            assert next_boot.poll() is None
            assert "populated 1" in (group / "cgroup.events").read_text()
        finally:
            cgroups.end_all(tmp_path)
        assert next_boot.wait(60) == -9
