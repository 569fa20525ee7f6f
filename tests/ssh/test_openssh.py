"""OpenSSH's own client with what we write for it: through a bastion, and by the fingerprint that a page tells."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from fleet.plan import tags
from fleet.plan.environment.report import FleetReport, describe_environment
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.handout.aliases import aliases
from fleet.plan.handout.logins import Login, LoginFiles, known_hosts_text, ssh_config_text
from fleet.plan.handout.pages import Frame, Page, PersonalLogin, plan_overview
from fleet.ssh.keys import fingerprint
from fleet.workflows.environment.openssh import proxy_options
from tests.plan.handout.handouts import NOW, instance
from tests.ssh.bastions import BastionHost, bastion_host
from tests.ssh.servers import ADDRESS, Server, ssh_server
from tests.workflows.runs import context_over

PROMPT = b"[fingerprint])? "


@dataclass(frozen=True)
class World:
    """A host behind a bastion, and the home of somebody who knows the bastion and has keys for both."""

    server: Server
    bastion: BastionHost
    home: Path

    @property
    def behind(self) -> InstanceFact:
        via = {tags.VIA: f"bastion {self.bastion.target}", tags.HOST_KEY: self.server.host_key}
        return replace(instance("ana", 7, **via), private_address=ADDRESS)

    def at_home(self, command: str) -> list[str]:
        """Run a command with that home where OpenSSH looks for it: by the password database, not by $HOME."""
        real = pwd.getpwuid(os.getuid()).pw_dir
        mount = shlex.join(["mount", "--bind", str(self.home), real])
        return ["unshare", "--mount", "bash", "-c", f"{mount} && {command}"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with ssh_server() as server, bastion_host() as bastion:
        home = bastion.home(tmp_path / "home")
        second = home / ".ssh/id_ecdsa"  # a name that ssh tries by itself
        second.write_text(server.private_key)
        second.chmod(0o600)
        found = World(server, bastion, home)
        for program in ("ssh", "script", "unshare"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed: OpenSSH was not tried")
        tried = subprocess.run(
            found.at_home("true"), capture_output=True, text=True, timeout=60, check=False
        )
        if tried.returncode != 0:
            pytest.skip(f"no home of one's own without root: {tried.stderr.strip()}")
        yield found


def test_the_written_config_leads_through_the_bastion(world: World, tmp_path: Path) -> None:
    (key := tmp_path / "fleet key").write_text(world.server.private_key)
    key.chmod(0o600)
    proxy = proxy_options(context_over("http://127.0.0.1:9", tmp_path), world.behind)
    login = Login(
        "ana", "workshop-ana", world.behind.instance_id, ADDRESS, world.server.port, "ubuntu",
        world.server.host_key, proxy["ProxyCommand"],
    )  # fmt: skip
    (known := tmp_path / "known hosts").write_text(known_hosts_text([login]))
    files = LoginFiles(str(key), str(known))
    (config := tmp_path / "config").write_text(
        ssh_config_text("workshop", [login], files, absent={})
    )
    command = f"ssh -F {shlex.quote(str(config))} workshop-ana echo there </dev/null"
    done = subprocess.run(
        world.at_home(command), capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "there\n"), done.stderr
    assert world.bastion.logins
    assert not (world.home / ".ssh/known_hosts.old").exists()
    (world.home / ".ssh/known_hosts").write_text("")
    done = subprocess.run(
        world.at_home(command), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 255, "a bastion that nobody knows is not gone through"


def page_of(world: World) -> Page:
    behind = world.behind
    login = PersonalLogin(behind, world.server.port, fingerprint(world.server.host_key))
    report = FleetReport("workshop", "us-east-1", (describe_environment(behind, state="ready"),))
    frame = Frame("workshop", "us-east-1", "", "fleet", None, NOW)
    names = aliases("workshop", ["ana"])
    (page,) = plan_overview(report, frame, names=names, logins={"ana": login}).pages
    return page


def answered(world: World, ssh: str, answer: str) -> str:
    """Run ssh on a terminal, paste an answer at its question for the host key, and give all that it wrote."""
    words = world.at_home(f"{ssh} echo there </dev/null")
    with subprocess.Popen(
        ["script", "-qec", shlex.join(words), "/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        said = b""
        while not said.endswith(PROMPT) and (more := process.stdout.read(1)):
            said += more
        assert said.endswith(PROMPT), said.decode()
        process.stdin.write(f"{answer}\n".encode())
        process.stdin.flush()
        while not (b"there" in said or b"Please type" in said):
            more = process.stdout.read(1)
            if not more:
                break
            said += more
        process.kill()
    return said.decode()


@pytest.mark.timeout(300)
def test_the_fingerprint_of_the_page_lets_ssh_in_and_another_does_not(world: World) -> None:
    page = page_of(world)
    other = fingerprint(world.bastion.host_key)
    assert "Please type" in answered(world, page.ssh, other)
    assert answered(world, page.ssh, page.fingerprint).endswith("\nthere")
    known = (world.home / ".ssh/known_hosts").read_text()
    assert world.server.host_key.split()[1] in known
