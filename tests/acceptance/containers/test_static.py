"""What the product renders for a host, read by the host's own programs: cloud-init's schema, systemd's verifier.

(shellcheck reads the scripts in tests/plan/environment/test_bootstrap.py: it needs no host.)
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from fleet.assets.shipped import load_launch_texts
from fleet.plan.environment.bootstrap import render_first_boot
from fleet.sandbox.containers import base, needs
from fleet.spec.model import Bootstrap
from tests.plan.environment.test_bootstrap import SYNC, rendered
from tests.plan.worlds import NOW

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

UNIT = re.compile(r"(\S*fleet-[\w-]+\.service)\S* <<('?)UNIT\2\n(.*?)\nUNIT\n", re.DOTALL)
FIRST_BOOTS = {"expires": NOW, "never": None}


@pytest.fixture(scope="module")
def debian() -> Path:
    """The tree that container hosts start from."""
    reason = needs.missing()
    if reason:
        pytest.skip(reason)
    return base.ensure(print)


def in_debian(debian: Path, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a copy of the tree that goes with it; `folder` is /checks there."""
    (folder / "check.sh").write_text(script)
    # What systemd-nspawn leaves in /run goes with the mount.
    apart = 'mkdir -p /run/systemd/nspawn && mount -t tmpfs none /run/systemd/nspawn && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", apart, "sh"]
    words += [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--volatile=overlay",
        "--pipe",
    ]
    words += ["--private-network", f"--bind={folder}:/checks", f"--directory={debian}"]
    return subprocess.run(
        [*words, "bash", "-e", "/checks/check.sh"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
    )


def units_of(script: str, account: str, folder: Path) -> list[str]:
    """Let bash write the units of a bootstrap script as they stand on a host."""
    found = UNIT.findall(script)
    assert {Path(name).name for name, _, _ in found} >= {
        "fleet-jupyter.service",
        "fleet-lifetime.service",
    }
    lines = [
        "watchers_python=/usr/bin/python3",
        f"person={account}",
        f"person_home=/home/{account}",
        "person_files=$person_home/.fleet",
    ]
    for name, quote, text in found:
        target = folder / Path(name).name
        lines.append(f"cat >{target} <<{quote}UNIT{quote}\n{text}\nUNIT")
    subprocess.run(["bash", "-eu"], input="\n".join(lines), text=True, check=True, timeout=60)
    return [f"{folder.name}/{Path(name).name}" for name, _, _ in found]


def verify(debian: Path, folder: Path, units: list[str]) -> subprocess.CompletedProcess[str]:
    """What systemd has to say of units, where their users and programs are there."""
    people = "for who in ubuntu member; do useradd -m $who 2>/dev/null || true; bin=/home/$who/.fleet/jupyter/bin\n"
    people += (
        "  mkdir -p $bin; for each in jupyter python; do ln -sf /bin/true $bin/$each; done; done\n"
    )
    check = "systemd-analyze verify --man=no --recursive-errors=no"
    each = "\n".join(f"{check} /checks/{unit}" for unit in units)
    return in_debian(debian, folder, people + each)


@pytest.mark.parametrize("expires", FIRST_BOOTS)
def test_cloud_init_knows_every_key_of_the_user_data(
    debian: Path, tmp_path: Path, expires: str
) -> None:
    text = render_first_boot(
        load_launch_texts().first_boot, fleet="studio", expires_at=FIRST_BOOTS[expires]
    )
    (tmp_path / "user-data").write_text(text)
    done = in_debian(debian, tmp_path, "cloud-init schema --config-file /checks/user-data")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_fault_in_user_data_is_found(debian: Path, tmp_path: Path) -> None:
    (tmp_path / "user-data").write_text("#cloud-config\nwrite_files: {path: /etc/motd}\n")
    done = in_debian(debian, tmp_path, "cloud-init schema --config-file /checks/user-data")
    assert done.returncode != 0
    assert "write_files" in done.stdout + done.stderr


def test_systemd_has_nothing_to_say_of_the_units_of_the_first_boot(
    debian: Path, tmp_path: Path
) -> None:
    text = render_first_boot(load_launch_texts().first_boot, fleet="studio", expires_at=NOW)
    units = []
    for file in yaml.safe_load(text)["write_files"]:
        name = Path(file["path"]).name
        (tmp_path / name).write_text(file["content"])
        units.append(name)
    assert "fleet-expiry.timer" in units
    done = verify(
        debian, tmp_path, [unit for unit in units if unit.endswith((".service", ".timer"))]
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_systemd_has_nothing_to_say_of_the_units_of_any_bootstrap(
    debian: Path, tmp_path: Path
) -> None:
    units = []
    either = (True, False)
    for number, (sudo, tls, spot, idle) in enumerate(itertools.product(*[either] * 4)):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        script = rendered(
            Bootstrap(sudo=sudo),
            tls=tls,
            certificate=None,
            spot=spot,
            idle_seconds=3600 if idle else None,
            sync=SYNC if idle else (),
            member='Zoë "50 %" $HOME `id` \\ O\'Neill',
        )
        written = units_of(script, "ubuntu" if sudo else "member", folder)
        assert (f"{number}/fleet-spot.service" in written) == spot
        units += written
    done = verify(debian, tmp_path, units)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


PYTHONS = """\
fleet_home=/home/ubuntu/.fleet
candidates=(/usr/local/bin/python3 /opt/pytorch/bin/python)
makes() { mkdir -p "${1%/*}" && printf '#!/bin/sh\\nexit %s\\n' "$2" >"$1" && chmod +x "$1"; }
rm -f /usr/bin/python3*
makes /usr/bin/python3 1 # one that says that it is too old
makes /home/ubuntu/.fleet/jupyter/bin/python 0
roots_python || echo none
makes /opt/pytorch/bin/python 0
roots_python
makes /usr/bin/python3.12 0
roots_python
"""


@pytest.mark.parametrize(
    ("sudo", "last"), [(True, "/home/ubuntu/.fleet/jupyter/bin/python"), (False, "none")]
)
def test_root_runs_no_python_of_a_person_without_sudo(
    debian: Path, tmp_path: Path, *, sudo: bool, last: str
) -> None:
    """Where the system's is too old: Ubuntu 20.04 has 3.8."""
    found = re.search(
        r"^roots_python\(\) \{.*?^\}$", rendered(Bootstrap(sudo=sudo)), re.DOTALL | re.MULTILINE
    )
    assert found is not None
    done = in_debian(debian, tmp_path, found[0] + "\n" + PYTHONS)
    assert done.returncode == 0, done.stderr
    better = last if sudo else "/opt/pytorch/bin/python"
    assert done.stdout.split() == [last, better, "/usr/bin/python3.12"]


@pytest.mark.parametrize(
    "wrong", ["Restart=alwys", "Restrat=always", "ExecStart=/nowhere/at-all", "Type=daemon"]
)
def test_a_fault_in_a_unit_is_found(debian: Path, tmp_path: Path, wrong: str) -> None:
    text = f"[Service]\nExecStart=/bin/true\n{wrong}\n".replace(
        "ExecStart=/bin/true\nExecStart", "ExecStart"
    )
    (tmp_path / "fleet-wrong.service").write_text(text)
    done = verify(debian, tmp_path, ["fleet-wrong.service"])
    assert done.returncode != 0 or done.stdout + done.stderr, "nothing was said of it"
