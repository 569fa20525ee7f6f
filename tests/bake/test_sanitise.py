"""The script that sanitises, run over a sudo that does nothing but tell: what is done, in which order, to which end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from fleet.assets.shipped import load_bake_texts
from fleet.plan.bake.scripts import render_sanitise

# Nothing is ever run by it: a folder is said to be there, a search to find one file in it.
SUDO = """#!/bin/bash
shift
printf '%s ' "$@" >>{log}; echo >>{log}
case "$1 $2" in
  'find '*) printf '%s/found\\0' "$2" ;;
  'cat /etc/passwd') printf 'svc:x:9:9::/srv/svc:/bin/sh\\n' ;;
esac
case "$*" in *{fails}*) exit 1 ;; esac
"""


def sanitise(folder: Path, *, fails: str = "no-such-word") -> tuple[int, list[str], list[str]]:
    """The exit status, what was told, and what root was asked to do."""
    log = folder / "log"
    log.unlink(missing_ok=True)
    for name in ("bin", "home"):
        (folder / name).mkdir(exist_ok=True)
    sudo = folder / "bin/sudo"
    sudo.write_text(SUDO.format(log=log, fails=fails))
    sudo.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", render_sanitise(load_bake_texts())],
        env={"HOME": str(folder / "home"), "PATH": f"{folder / 'bin'}:/usr/bin:/bin"},
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    told = [line.removeprefix("@fleet\t") for line in done.stdout.splitlines()]
    return done.returncode, told, [line.strip() for line in log.read_text().splitlines()]


def test_its_end_is_told_last(tmp_path: Path) -> None:
    status, told, asked = sanitise(tmp_path)
    assert status == 0
    assert told[-1].startswith("sanitise\tdone\t")
    assert [line.split("\t")[0] for line in told[:-1]] == [
        *("services", "histories", "credentials", "caches", "environment"),
        *("traces", "cloud-init", "logs", "keys"),
    ]
    keys = [line for line in asked if line.startswith("find ")][-4:]
    homes = ("/root", tmp_path / "home", "/home/found", "/srv/svc")
    assert [line.split()[1] for line in keys] == [
        *(f"{home}/.ssh" for home in homes[1:]),
        "/etc/ssh",
    ]
    assert asked[-1] == "rm -rf -- /etc/ssh/found"


@pytest.mark.parametrize("fails", ["/etc/machine-id", ".netrc", "ssh/found", "/etc/fleet"])
def test_what_could_not_be_done_is_told_and_the_rest_is_done(tmp_path: Path, fails: str) -> None:
    status, told, asked = sanitise(tmp_path, fails=f"'{fails}'")
    assert status == 1
    assert told[-1].startswith("sanitise\tfailed\t")
    assert not [line for line in told if "\tdone\t" in line]
    whole = sanitise(tmp_path, fails="no-such-word")[2]
    assert asked == whole
    assert asked[-1] == "rm -rf -- /etc/ssh/found"


def test_only_what_takes_time_to_install_is_kept_of_the_environment(tmp_path: Path) -> None:
    asked = sanitise(tmp_path)[2]
    (line,) = (each for each in asked if each.startswith("find /root/.fleet "))
    kept = line.split("! -name ")[1:]
    assert [name.split()[0] for name in kept] == [
        *("jupyter", "kernels", "uv", "tensorflow", "pytorch", "mxnet"),
        *("probe", "probed", "packages", "watchers"),
    ]


def test_root_is_asked_for_nothing_that_reloads_or_disables(tmp_path: Path) -> None:
    asked = sanitise(tmp_path)[2]
    verbs = {line.split()[1] for line in asked if line.startswith("systemctl ")}
    assert verbs == {"stop"}
    assert not [line for line in asked if "fleet-expiry" in line]
    words = {line.split()[0] for line in asked}
    assert words <= {
        "systemctl",
        "rm",
        "find",
        "test",
        "truncate",
        "cat",
        "cloud-init",
        "apt-get",
        "dnf",
    }
