"""The rendered script: valid bash for whatever a spec allows, quoted, secret only where it belongs."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.assets.shipped import load_launch_texts, load_texts
from fleet.plan.environment.bootstrap import (
    HostBootstrap,
    render_bootstrap,
    render_first_boot,
)
from fleet.plan.environment.request import BootstrapRequest
from fleet.plan.rendering import render
from fleet.plan.tags import expiry_text
from fleet.sandbox.hosts import units
from fleet.spec.model import Bootstrap
from tests.plan.worlds import NOW

TOKEN = "tok-" + "x" * 39
CERTIFICATE = "-----BEGIN PRIVATE KEY-----\nKEY\n-----END PRIVATE KEY-----\n"

CASES = {
    "bare": Bootstrap(),
    "packages": Bootstrap(packages=("einops", "numpy>=2,<3")),
    "git": Bootstrap(git=("https://github.com/arogozhnikov/einops.git",)),
    "files": Bootstrap(files=(("./data", "~/data"),)),
    "script": Bootstrap(script="./set'up.sh"),
}
WHOLE = Bootstrap(
    packages=("einops", "numpy>=2,<3"),
    git=("https://github.com/arogozhnikov/einops.git",),
    files=(("./data", "~/data"),),
    script="./set'up.sh",
)
KEY = "ssh-ed25519 AAAA it's mine"

SYNC = (("~/my work", "s3://team-bucket/workshop"),)
SHORT = dataclasses.replace(
    load_texts(),
    watchers=dict.fromkeys(load_texts().watchers, "pass\n"),
    server_extension="",
    lab_extension="",
)
"""Without the programs that are the same in every script."""

TENSORFLOW = ("tensorflow[and-cuda]==2.18.*",)


def rendered(
    bootstrap: Bootstrap,
    *,
    framework: str | None = "pytorch",
    ssh_key: str | None = None,
    install: tuple[str, ...] = (),
    tls: bool = True,
    certificate: str | None = CERTIFICATE,
    again: bool = False,
    idle_seconds: int | None = None,
    sync: tuple[tuple[str, str], ...] = (),
    spot: bool = False,
    member: str = "ana",
    expires_at: datetime | None = NOW,
    programs: bool = True,
) -> str:
    request = BootstrapRequest(
        bootstrap=bootstrap,
        framework="tensorflow" if install else framework,
        interpreters=() if install else ("/opt/pytorch/bin/python",),
        install=install,
        script_text="echo 'hello'\n" if bootstrap.script else "",
        ssh_key=ssh_key,
        idle_seconds=idle_seconds,
        sync=sync,
        bootstrap_id="0123456789abcdef",
    )
    host = HostBootstrap(
        member=member,
        token=TOKEN,
        tls=tls,
        certificate=certificate,
        bind_address="172.31.0.1",
        remote_files=tuple(remote for _, remote in bootstrap.files),
        expires_at=expires_at,
        spot=spot,
    )
    return render_bootstrap(load_texts() if programs else SHORT, request, host=host, again=again)


def combinations(
    cases: Iterable[Bootstrap] = (*CASES.values(), WHOLE),
    *,
    again: tuple[bool, ...] = (True, False),
) -> Iterator[str]:
    """Every script that differs in more than its values; On-Demand with TLS, Spot without, or the other way round."""
    frameworks: list[tuple[str | None, tuple[str, ...]]] = [
        ("pytorch", ()),
        (None, ()),
        (None, TENSORFLOW),
    ]
    for case, (framework, install), sudo, key, certificate, once_more in itertools.product(
        cases, frameworks, (True, False), (None, KEY), (CERTIFICATE, None), again
    ):
        spot = (certificate is None) == sudo
        bootstrap = case.model_copy(update={"sudo": sudo})
        tls = certificate is not None
        yield rendered(
            bootstrap,
            framework=framework,
            ssh_key=key,
            install=install,
            tls=tls,
            certificate=certificate,
            again=once_more,
            spot=spot,
            idle_seconds=3600 if once_more else None,
            sync=SYNC if key else (),
            programs=False,
        )


def test_every_combination_is_valid_bash(tmp_path: Path) -> None:
    for number, script in enumerate(combinations()):
        (tmp_path / f"{number:03}.sh").write_text(script)
    line = 'for each in "$0"/*.sh; do bash -n "$each" || exit 1; done'
    checked = subprocess.run(
        ["bash", "-c", line, str(tmp_path)],
        text=True,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr
    assert len(list(tmp_path.iterdir())) == 288


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_shellcheck_has_nothing_to_say_of_any_combination(tmp_path: Path) -> None:
    look_at(list(combinations((Bootstrap(), WHOLE), again=(False,))), tmp_path)


@pytest.mark.parametrize("sudo", [True, False])
@pytest.mark.parametrize("install", [(), TENSORFLOW], ids=["image", "installed"])
def test_shellcheck_has_nothing_to_say_of_the_whole(
    install: tuple[str, ...], tmp_path: Path, *, sudo: bool
) -> None:
    look_at(
        [rendered(WHOLE.model_copy(update={"sudo": sudo}), ssh_key=KEY, install=install)], tmp_path
    )


def look_at(scripts: list[str], folder: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: only `bash -n` has looked at the scripts")
    files = []
    for number, script in enumerate(scripts):
        files.append(folder / f"{number:03}.sh")
        files[-1].write_text("#!/usr/bin/env bash\n" + script)
    looked = subprocess.run(
        ["shellcheck", *map(str, files)], text=True, capture_output=True, timeout=800, check=False
    )
    assert looked.returncode == 0, looked.stdout


def test_a_framework_is_installed_only_where_the_image_lacks_it() -> None:
    assert "begin framework" not in rendered(Bootstrap())
    script = rendered(Bootstrap(), install=TENSORFLOW)
    assert "begin framework 'tensorflow[and-cuda]==2.18.*'" in script
    assert 'register "$kernel" tensorflow "$fleet_home/tensorflow/bin/python"' in script


def test_an_account_of_its_own_is_made_only_without_sudo() -> None:
    assert "useradd" not in rendered(Bootstrap())
    assert "useradd" in rendered(Bootstrap(sudo=False))


def test_the_token_stands_in_one_line_for_its_file() -> None:
    lines = [line for line in rendered(Bootstrap()).splitlines() if TOKEN in line]
    assert lines == [f"token={TOKEN}"]


def test_without_tls_no_certificate_is_named() -> None:
    assert "$fleet_home/server.pem" not in rendered(Bootstrap(), tls=False, certificate=None)


def test_a_certificate_that_serves_is_left_alone() -> None:
    script = rendered(Bootstrap(), certificate=None)
    assert "BEGIN PRIVATE KEY" not in script
    assert script.count('"certfile": "$fleet_home/server.pem"') == 2


def in_unit(unit: str, script: str, *, home: str = "/home/ubuntu") -> list[str]:
    """The lines of a unit as bash writes it on a host."""
    (here,) = re.findall(
        rf"^put_unit {unit} <<UNIT\n(.*?)\nUNIT$", script, re.DOTALL | re.MULTILINE
    )
    told = f"person_home={home} person_files={home}/.fleet person=ubuntu watchers_python=/usr/bin/python3"
    done = subprocess.run(
        ["bash", "-euc", f"{told}\ncat <<UNIT\n{here}\nUNIT"],
        text=True,
        capture_output=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


def test_idle_is_told_to_the_watcher_only_where_the_spec_says_so() -> None:
    line = "Environment=FLEET_IDLE_SECONDS=5400"
    assert line in in_unit("fleet-lifetime.service", rendered(Bootstrap(), idle_seconds=5400))
    assert not [
        each for each in in_unit("fleet-lifetime.service", rendered(Bootstrap())) if "IDLE" in each
    ]


def test_only_a_spot_instance_is_watched_for_its_interruption() -> None:
    both = 'Environment="FLEET_WATCHERS=lifetime spot"'
    assert both in in_unit("fleet-jupyter.service", rendered(Bootstrap(), spot=True))
    script = rendered(Bootstrap(), sync=SYNC)
    assert 'Environment="FLEET_WATCHERS=lifetime"' in in_unit("fleet-jupyter.service", script)
    assert "fleet-spot.service" not in script
    assert "team-bucket" not in script.replace(asked_line(script), "")


def asked_line(script: str) -> str:
    return next(line for line in script.splitlines() if "/asked.json" in line)


@pytest.mark.parametrize("member", ["ana", 'Zoë "50 %" $HOME `id` \\ O\'Neill'])
def test_each_member_s_files_go_below_a_folder_of_their_own(member: str) -> None:
    unit = in_unit("fleet-spot.service", rendered(Bootstrap(), spot=True, sync=SYNC, member=member))
    (line,) = (line for line in unit if "FLEET_SYNC" in line)
    (word,) = units.assignments([units.expand(line.removeprefix("Environment="), {})]).values()
    to = f"s3://team-bucket/workshop/{member}"
    assert json.loads(word) == [{"from": "~/my work", "to": to}]


@pytest.mark.parametrize(("expires_at", "text"), [(NOW, expiry_text(NOW)), (None, "never")])
def test_the_host_is_told_its_own_expiry(expires_at: datetime | None, text: str) -> None:
    script = rendered(Bootstrap(), expires_at=expires_at)
    assert f'put "$fleet_home/watchers/expires-at.new" <<<{text}\n' in script


def test_nothing_is_called_by_an_absolute_path() -> None:
    words = [line.strip().split(" ")[0] for line in rendered(CASES["packages"]).splitlines()]
    assert not [word for word in words if word.startswith(("/bin", "/usr", "/sbin"))]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_whatever_a_spec_says_stays_one_word(text: str) -> None:
    command = render("printf %s {{ said | q }}", said=text)
    said = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=True)
    assert said.stdout == text.encode()


def test_first_boot_is_cloud_config_without_secrets() -> None:
    text = render_first_boot(load_launch_texts().first_boot, fleet="workshop", expires_at=NOW)
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert [file["path"] for file in data["write_files"]] == [
        "/etc/systemd/system/fleet-expiry.service",
        "/etc/systemd/system/fleet-expiry.timer",
    ]
    assert len(text.encode()) < 16 * 1024


@pytest.mark.parametrize(("minutes", "said"), [(-1, "poweroff\n"), (10, "")])
def test_a_first_boot_after_the_expiry_is_the_last(minutes: int, said: str, tmp_path: Path) -> None:
    systemctl = tmp_path / "systemctl"
    systemctl.write_text('#!/bin/sh\necho "$@"\n')
    systemctl.chmod(0o755)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    text = render_first_boot(load_launch_texts().first_boot, fleet="w", expires_at=at)
    last = yaml.safe_load(text)["runcmd"][-1]
    own = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(last, env=own, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == said


def test_first_boot_without_expiry_only_prints_new_host_keys() -> None:
    data = yaml.safe_load(
        render_first_boot(load_launch_texts().first_boot, fleet="w", expires_at=None)
    )
    assert data == {"ssh_deletekeys": True, "ssh": {"emit_keys_to_console": True}}
