"""What is written for other programs: ssh, scp, rsync and Ansible, as they come, against hosts with pinned keys."""

from __future__ import annotations

import base64
import shlex
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import public_line
from tests.acceptance.standing import NAME, ODD, ODD_HOST, Standing
from tests.command import FLEET, Cli, InProcess

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("standing")]

ANA_HOST = f"{NAME}-ana"


@dataclass(frozen=True)
class Clients:
    """A fleet with everything that is written about it."""

    cli: Cli
    config: Path
    folder: Path

    def run(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a client that nobody answers, without any other configuration of a person's."""
        if shutil.which(words[0]) is None:
            pytest.skip(f"{words[0]} is not installed: nothing was tried with it")
        return subprocess.run(
            words,
            env={**self.cli.environment, "HOME": str(self.folder), "SSH_AUTH_SOCK": "", **more},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def clients(standing: Standing, tmp_path_factory: pytest.TempPathFactory) -> Clients:
    told = f"`fleet --sandbox handout {NAME} --out {NAME}` writes a page for each person"
    assert standing.up_said.strip().splitlines()[-1].endswith(told)
    written = standing.cli("--sandbox", "ssh-config", NAME)
    assert written.returncode == 0, written.stderr
    return Clients(standing.cli, Path(written.stdout.strip()), tmp_path_factory.mktemp("clients"))


def test_ssh_logs_in(clients: Clients) -> None:
    for host in (ANA_HOST, ODD_HOST):
        done = clients.run("ssh", "-F", str(clients.config), host, "echo", "here $USER")
        assert (done.returncode, done.stdout) == (0, "here ubuntu\n"), done.stderr
    assert stat.S_IMODE(clients.config.stat().st_mode) == 0o600


def test_another_host_key_is_refused(clients: Clients) -> None:
    text = clients.config.read_text()
    pinned = clients.config.with_name("known_hosts")
    wrong = clients.folder / "known_hosts"
    name = pinned.read_text().split()[0]
    wrong.write_text(f"{name} {public_line(generate_private_key())}\n")
    (config := clients.folder / "wrong").write_text(text.replace(str(pinned), str(wrong)))
    for host in (ANA_HOST, ODD_HOST):  # one has another key, one has none
        done = clients.run("ssh", "-F", str(config), host, "true")
        assert done.returncode == 255
        assert "Host key verification failed" in done.stderr


def test_scp_brings_and_fetches(clients: Clients) -> None:
    (clients.folder / "there").write_text("and back\n")
    scp = ("scp", "-q", "-F", str(clients.config))
    for words in (("there", f"{ODD_HOST}:there"), (f"{ODD_HOST}:there", "back")):
        done = clients.run(*scp, *words)
        assert done.returncode == 0, done.stderr
    assert (clients.folder / "back").read_text() == "and back\n"


def test_rsync_brings_a_folder(clients: Clients) -> None:
    (clients.folder / "data").mkdir()
    (clients.folder / "data/numbers").write_text("1 2 3\n")
    shell = f"ssh -F {shlex.quote(str(clients.config))}"
    done = clients.run("rsync", "-a", "-e", shell, "data/", f"{ANA_HOST}:data/")
    assert done.returncode == 0, done.stderr
    seen = clients.run("ssh", "-F", str(clients.config), ANA_HOST, "cat", "data/numbers")
    assert seen.stdout == "1 2 3\n"


def test_the_users_own_config_includes_it_only_when_asked(clients: Clients) -> None:
    own = clients.folder / ".ssh/config"
    own.parent.mkdir(mode=0o700)
    own.write_text("Host mine\n  User me\n")
    asked = InProcess(clients.cli.folder, {"HOME": str(clients.folder)})
    assert asked.json("--sandbox", "ssh-config", NAME, "-o", "json")["included_in"] is None
    assert own.read_text() == "Host mine\n  User me\n"
    for _ in range(2):
        done = asked("--sandbox", "ssh-config", NAME, "--include")
        assert done.returncode == 0, done.stderr
        assert own.read_text() == f'Include "{clients.config}"\nHost mine\n  User me\n'
    seen = clients.run("ssh", "-F", str(own), ODD_HOST, "echo", "found")
    assert seen.stdout == "found\n", seen.stderr
    assert asked("--sandbox", "ssh-config", NAME, "--no-include").returncode == 0
    assert own.read_text() == "Host mine\n  User me\n"


def test_ansible_finds_every_host(clients: Clients) -> None:
    ansible = Path(sys.executable).with_name("ansible")
    if not ansible.exists():
        pytest.skip("ansible is not installed: nothing was tried with it")
    script = clients.folder / "clients.sh"
    script.write_text(f'#!/bin/sh\nexec {FLEET} --sandbox inventory {NAME} "$@"\n')
    script.chmod(0o755)
    settings = {
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
    }
    said = "person={{ fleet_member }}"
    done = clients.run(
        str(ansible), "-i", str(script), NAME, "-m", "debug", "-a", f"msg='{said}'", **settings
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "person=ana" in done.stdout
    assert "{{ 7*7 }}" in done.stdout, "a name is no template"
    assert "WARNING" not in done.stderr
    done = clients.run(str(ansible), "-i", str(script), NAME, "-m", "ping", **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count('"ping": "pong"') == 2
    one = clients.cli.json("--sandbox", "inventory", NAME, "--host", ODD_HOST)
    assert one["ansible_user"] == "ubuntu"


def test_the_hand_out_is_written_for_its_owner_alone(clients: Clients) -> None:
    out = clients.folder / "pages"
    words = ("--sandbox", "handout", NAME, "--out", str(out))
    found = clients.cli.json(*words, "--contact", "anna@example.org", "-o", "json")
    assert [page["member"] for page in found["pages"]] == ["ana", ODD]
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert {file.name for file in out.iterdir()} == {
        "overview.html", "overview.csv", f"{ANA_HOST}.html", f"{ANA_HOST}.md", f"{ODD_HOST}.html", f"{ODD_HOST}.md",
    }  # fmt: skip
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o600}
    urls = {
        one["member"]: one["jupyter_url"]
        for one in clients.cli.json("--sandbox", "urls", NAME, "-o", "json")["environments"]
    }
    ana = (out / f"{ANA_HOST}.html").read_text("utf-8")
    assert urls["ana"] in ana
    certificate = clients.cli("--sandbox", "ca", NAME).stdout
    assert base64.b64encode(certificate.encode()).decode() in ana
    assert urls[ODD] not in ana, "nobody finds another's token"
    again = clients.cli(*words)
    assert again.returncode == 0
    assert "2 of 2 ready" in again.stderr


def test_a_template_that_is_not_there_is_told(clients: Clients) -> None:
    done = clients.cli(
        "--sandbox",
        "handout",
        NAME,
        "--out",
        str(clients.folder / "no"),
        "--template",
        "no.j2",
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith(
        "--template no.j2 cannot be read (No such file or directory): check the path"
    )
    assert not (clients.folder / "no").exists()
