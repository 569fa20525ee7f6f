"""No secret is where anybody else can read it: looked for everywhere, while a fleet comes and while it runs."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.aws import client
from tests.acceptance.standing import NAME, ODD, Standing, Watched
from tests.command import Cli, processes_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800), pytest.mark.xdist_group("standing")]

LISTENS = "0A"
OPEN = {6006, 8888}


def body_of(pem: str) -> str:
    """The middle line of a private key: how it begins is the same in all of its kind."""
    lines = pem.partition("PRIVATE KEY-----\n")[2].partition("-----END")[0].splitlines()
    return lines[len(lines) // 2]


@dataclass(frozen=True)
class Running:
    """One environment of the fleet, its host's folder and address, and what nobody may read, by name."""

    cli: Cli
    host: Path
    address: str
    instance_id: str
    secrets: dict[str, bytes]
    watched: Watched
    said: str


@pytest.fixture(scope="module")
def running(standing: Standing) -> Running:
    old, now, other = standing.before["ana"], *(standing.environments[m] for m in ("ana", ODD))
    found = client(standing.cli, "ssm").get_parameters_by_path(
        Path=f"/fleet/{NAME}", WithDecryption=True
    )
    kept = {p["Name"].rsplit("/", 1)[1]: p["Value"] for p in found["Parameters"]}
    host = standing.host(now)
    secrets = {
        "token": now["jupyter_url"].split("token=")[1],
        "old token": old["jupyter_url"].split("token=")[1],
        "another's token": other["jupyter_url"].split("token=")[1],
        "fleet secret": kept["fleet-secret"],
        "SSH key": body_of(kept["ssh-key"]),
        "authority's key": body_of(kept["certificate-authority"]),
        "server's key": body_of((host / "home/ubuntu/.fleet/server.pem").read_text()),
    }
    encoded = {name: text.encode() for name, text in secrets.items()}
    assert all(len(text) > 30 for text in encoded.values())
    said = standing.up_said + standing.rotate_said
    return Running(
        standing.cli,
        host,
        now["address"],
        now["instance_id"],
        encoded,
        standing.watched,
        said,
    )


def found_in(running: Running, content: bytes) -> list[str]:
    return [name for name, text in running.secrets.items() if text in content]


@pytest.mark.parametrize("what", ["cmdline", "environ"])
def test_no_process_ever_had_one(running: Running, what: str) -> None:
    assert len(running.watched.seen[what]) > 20
    assert found_in(running, b"\0".join(running.watched.seen[what])) == []


def test_no_process_on_its_host_has_one(running: Running) -> None:
    token = running.secrets["token"].decode()
    search = f"grep -l {token[:12]} /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -v self; true"
    found = [line for line in on_host(running, search) if Path(line).exists()]
    # The searching shell and grep themselves have ended by now.
    assert found == [], "the token stands in a process's arguments or environment"


def test_its_folder_is_its_owners_alone(running: Running) -> None:
    modes = on_host(running, "stat -c '%a' ~/.fleet ~/.fleet/jupyter_server_config.json")
    assert modes == ["700", "600"]


def on_host(running: Running, line: str) -> list[str]:
    words = ("--sandbox", "exec", "-o", "json", "--member", "ana", NAME, "--", line)
    (told,) = running.cli.json(*words)["results"]
    assert told["exit_status"] == 0, told
    return str(told["stdout"]).splitlines()


def test_ec2_was_told_none(running: Running) -> None:
    ec2 = client(running.cli, "ec2")
    told = {
        "instances": ec2.describe_instances(),
        "volumes": ec2.describe_volumes(),
        "groups": ec2.describe_security_groups(),
        "keys": ec2.describe_key_pairs(),
        "templates": ec2.describe_launch_template_versions(
            LaunchTemplateName=f"fleet-{NAME}", Versions=["$Latest"]
        ),
        "user data": ec2.describe_instance_attribute(
            InstanceId=running.instance_id, Attribute="userData"
        ),
        "console": ec2.get_console_output(InstanceId=running.instance_id),
    }
    assert "fleet:host-key" in str(told["instances"])
    for name, answer in told.items():
        assert found_in(running, json.dumps(answer, default=str).encode()) == [], name


def test_no_log_and_no_message_has_one(running: Running) -> None:
    assert found_in(running, running.said.encode()) == []
    logs = [*(running.host / "log").rglob("*"), *running.host.rglob("*.log")]
    looked = [path for path in logs if path.is_file()]
    assert any("bootstrap.log" in path.name for path in looked)
    for path in looked:
        assert found_in(running, path.read_bytes()) == [], path


def test_each_file_with_one_is_its_owners_alone(running: Running) -> None:
    holding = {}
    for path in running.host.rglob("*"):
        if not path.is_file() or path.is_symlink() or path.stat().st_size > 1 << 20:
            continue
        if names := found_in(running, path.read_bytes()):
            holding[str(path.relative_to(running.host))] = (names, path.stat().st_mode & 0o777)
    assert any(path.endswith(".fleet/token") for path in holding)
    assert any(path.endswith("server.pem") for path in holding)
    assert {path: found for path, found in holding.items() if found[1] & 0o077} == {}
    kept = {name for names, _ in holding.values() for name in names}
    assert kept == {"token", "server's key"}, "what the host needs, and nothing of the fleet's"


def test_nothing_else_listens(running: Running) -> None:
    """Kernels talk over loopback, signed; on the host's own address and on all addresses there is nothing more."""
    ssh = int(running.cli.sandbox_environment()["FLEET_SSH_PORT"])
    mine = {link for process in processes_of(running.host) for link in _sockets(process)}
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            local, state, inode = (line.split()[n] for n in (1, 3, 9))
            address, port = local.split(":")
            here = _address(address) if table == "tcp" else address
            if state == LISTENS and (inode in mine or here == running.address):
                listening.add((here, int(port, 16)))
    outside = {(address, port) for address, port in listening if address != "127.0.0.1"}
    assert outside == {(running.address, port) for port in {ssh, *OPEN}}


def _sockets(process: Path) -> Iterator[str]:
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]


def _address(text: str) -> str:
    """An address as /proc/net/tcp writes it: the bytes of the machine's own order."""
    return socket.inet_ntoa(struct.pack("=I", int(text, 16)))
