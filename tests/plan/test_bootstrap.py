"""The rendered script: valid bash for whatever a spec allows, quoted, secret only where it belongs."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fleet.assets.shipped import load_texts
from fleet.plan.bootstrap import HostBootstrap, render, render_bootstrap, render_first_boot
from fleet.spec.model import Bootstrap
from tests.plan.worlds import NOW, plan

TOKEN = "tok-" + "x" * 39
CERTIFICATE = "-----BEGIN PRIVATE KEY-----\nKEY\n-----END PRIVATE KEY-----\n"

CASES = {
    "bare": Bootstrap(),
    "packages": Bootstrap(packages=("einops", "numpy>=2,<3")),
    "git": Bootstrap(git=("https://github.com/arogozhnikov/einops.git",)),
    "files": Bootstrap(files=(("./data", "~/data"),)),
    "script": Bootstrap(script="./set'up.sh"),
}


def rendered(
    bootstrap: Bootstrap,
    *,
    ssh_key: str | None = None,
    install: tuple[str, ...] = (),
    tls: bool = True,
    certificate: str | None = CERTIFICATE,
) -> str:
    image = dataclasses.replace(plan().image, install=install)
    return render_bootstrap(
        load_texts(),
        bootstrap,
        image,
        host=HostBootstrap(
            member="ana",
            token=TOKEN,
            tls=tls,
            certificate=certificate,
            bind_address="172.31.0.1",
            ssh_key=ssh_key,
            remote_files=tuple(remote for _, remote in bootstrap.files),
        ),
        bootstrap_id="0123456789abcdef",
        script_text="echo 'hello'\n",
    )


TENSORFLOW = ("tensorflow[and-cuda]==2.18.*",)


@pytest.mark.parametrize("certificate", [CERTIFICATE, None], ids=["certified", "plain"])
@pytest.mark.parametrize("install", [(), TENSORFLOW], ids=["image", "installed"])
@pytest.mark.parametrize("name", CASES)
def test_every_combination_is_valid_bash(
    name: str, install: tuple[str, ...], certificate: str | None, tmp_path: Path
) -> None:
    script = rendered(
        CASES[name],
        ssh_key="ssh-ed25519 AAAA it's mine",
        install=install,
        tls=certificate is not None,
        certificate=certificate,
    )
    checked = subprocess.run(
        ["bash", "-n"], input=script, text=True, capture_output=True, timeout=30, check=False
    )
    assert checked.returncode == 0, checked.stderr
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed: only `bash -n` has looked at the script")
    file = tmp_path / "bootstrap.sh"
    file.write_text("#!/usr/bin/env bash\n" + script)
    looked = subprocess.run(
        ["shellcheck", str(file)], text=True, capture_output=True, timeout=60, check=False
    )
    assert looked.returncode == 0, looked.stdout


def test_a_framework_is_installed_only_where_the_image_lacks_it() -> None:
    assert "begin framework" not in rendered(Bootstrap())
    script = rendered(Bootstrap(), install=TENSORFLOW)
    assert "begin framework 'tensorflow[and-cuda]==2.18.*'" in script
    assert 'kernel_python="$framework_venv/bin/python"' in script


def test_the_token_stands_in_one_line_for_its_file() -> None:
    lines = [line for line in rendered(Bootstrap()).splitlines() if TOKEN in line]
    assert lines == [f"token={TOKEN}"]


def test_without_tls_no_certificate_is_named() -> None:
    assert "server.pem" not in rendered(Bootstrap(), tls=False, certificate=None)


def test_a_certificate_that_serves_is_left_alone() -> None:
    script = rendered(Bootstrap(), certificate=None)
    assert "BEGIN PRIVATE KEY" not in script
    assert script.count('"certfile": "$fleet_home/server.pem"') == 2


def test_nothing_is_called_by_an_absolute_path() -> None:
    words = [line.strip().split(" ")[0] for line in rendered(CASES["packages"]).splitlines()]
    assert not [word for word in words if word.startswith(("/bin", "/usr", "/sbin"))]


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_whatever_a_spec_says_stays_one_word(text: str) -> None:
    command = render("printf %s {{ said | q }}", said=text)
    said = subprocess.run(["bash", "-c", command], capture_output=True, timeout=30, check=True)
    assert said.stdout == text.encode()


def test_first_boot_is_cloud_config_without_secrets() -> None:
    text = render_first_boot(load_texts(), fleet="workshop", expires_at=NOW)
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    assert [file["path"] for file in data["write_files"]] == [
        "/etc/systemd/system/fleet-expiry.service",
        "/etc/systemd/system/fleet-expiry.timer",
    ]
    assert len(text.encode()) < 16 * 1024


def test_first_boot_without_expiry_only_prints_new_host_keys() -> None:
    data = yaml.safe_load(render_first_boot(load_texts(), fleet="w", expires_at=None))
    assert data == {"ssh_deletekeys": True, "ssh": {"emit_keys_to_console": True}}
