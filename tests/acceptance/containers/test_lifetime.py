"""Environments that switch themselves off, for real: by idling, at their expiry, before EC2 takes them back.

All at the same time on one fleet, one host for each kind of use; each test goes on where the one before has ended.
Nothing but the hosts decides: what is waited for is that EC2 says `terminated`. A drop-in makes the idle time a matter
of seconds; an hour's is the same code.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import IO, Any

import boto3
import pytest
import websocket

from fleet.errors import ProofError
from fleet.jupyter.http import Server, request
from fleet.jupyter.kernel import run_cell
from tests.acceptance.containers.conftest import Running, Start, on_host
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

IDLE = 30.0
"""Seconds; the watchers then look every 1.5 s."""
BOUND = 300.0
"""For what takes a minute on a quiet machine."""
TICKS = 10.0
"""What rounding, a look, and the steps of a terminal's access time may take away from an idle time."""
USED = ("cell", "terminal", "tmux", "gpu")
UNUSED = ("tab", "shell")
BUSY_BY = {
    "cell": "a kernel is busy",
    "terminal": "sleep runs in a terminal",
    "tmux": "sleep runs in a terminal",
    "gpu": "GPU 87 %",
}
SHORTER = f"""sudo mkdir -p /etc/systemd/system/fleet-lifetime.service.d &&
printf '[Service]\\nEnvironment=FLEET_IDLE_SECONDS={IDLE:.0f}\\n' |
  sudo tee /etc/systemd/system/fleet-lifetime.service.d/short.conf >/dev/null &&
sudo systemctl daemon-reload && sudo systemctl restart fleet-lifetime.service"""
SAVES = """mkdir -p ~/work
printf '#!/bin/sh\\necho saved by $(id -un) >~/saved-work\\n' >~/on-interruption
printf '#!/bin/sh\\necho $(id -un): "$@" >~/aws-said\\n' | sudo tee /usr/local/bin/aws >/dev/null
sudo chmod +x ~/on-interruption /usr/local/bin/aws"""


@dataclass
class Session:
    """An SSH session with a terminal, and what was seen on it."""

    process: subprocess.Popen[bytes]
    seen: bytearray = field(default_factory=bytearray)

    def read(self) -> None:
        """Take what comes until the session ends."""
        source = self.process.stdout
        assert source is not None
        while data := source.read1(4096):  # type: ignore[attr-defined]
            self.seen += data

    def wait_for(self, text: str) -> None:
        """Wait until a text is seen."""
        deadline = time.monotonic() + BOUND
        while text not in self.seen.decode(errors="replace"):
            assert time.monotonic() < deadline, self.seen.decode(errors="replace")
            time.sleep(0.2)

    def type(self, text: str) -> None:
        """Type on its keyboard."""
        keyboard: IO[bytes] | None = self.process.stdin
        assert keyboard is not None
        keyboard.write(text.encode())
        keyboard.flush()


@dataclass(frozen=True)
class Evening:
    """What has begun at once: sessions on terminals, and from when on idle time counts."""

    terminal: Session
    shell: Session
    taken: Session
    shortened_at: float


@dataclass(frozen=True)
class Fleet:
    """The fleet, and how to ask EC2 and Jupyter for it."""

    cli: Cli
    ec2: Any
    config: str
    authority: str
    environments: dict[str, dict[str, Any]]
    undo: ExitStack

    def states(self) -> dict[str, str]:
        """EC2's word for each member's instance."""
        told = self.ec2.describe_instances(
            Filters=[{"Name": "tag:fleet:name", "Values": ["evening"]}]
        )
        found = [i for r in told["Reservations"] for i in r["Instances"]]
        return {
            tag["Value"]: instance["State"]["Name"]
            for instance in found
            for tag in instance["Tags"]
            if tag["Key"] == "fleet:member"
        }

    def wait_for_the_end(self, members: tuple[str, ...]) -> float:
        """Wait until EC2 says that these are terminated; give when the first of them was not running any more."""
        began = time.monotonic()
        first = 0.0
        while True:
            states = {member: self.states()[member] for member in members}
            if not first and set(states.values()) != {"running"}:
                first = time.monotonic()
            if set(states.values()) == {"terminated"}:
                return first
            assert time.monotonic() - began < BOUND, (states, self.heard())
            time.sleep(0.5)

    def heard(self) -> dict[str, Any]:
        """What the watchers of each living environment say, by `fleet status`."""
        told = self.cli.json("--sandbox", "status", "evening", "-o", "json")["environments"]
        return {each["member"]: each["watchers"] for each in told if each["watchers"]}

    def at(self, member: str) -> Server:
        """A member's Jupyter."""
        return Server(self.environments[member]["address"], 8888, self.authority)

    def token(self, member: str) -> str:
        """A member's token."""
        return str(self.environments[member]["jupyter_url"]).partition("token=")[2]

    def ssh(self, member: str) -> Session:
        """Log in with a terminal, and stay."""
        process = subprocess.Popen(
            ["ssh", "-F", self.config, "-tt", f"evening-{member}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.undo.enter_context(process)
        session = Session(process)
        reader = threading.Thread(target=session.read)
        reader.start()
        self.undo.callback(reader.join)
        self.undo.callback(process.kill)
        session.wait_for("$ ")
        return session


@pytest.fixture(scope="module")
def dawn(hosts: Cli, start: Start, tmp_path_factory: pytest.TempPathFactory) -> Running:
    """The `up` of an environment for a minute, whose SSH never answers."""
    mute = ("mute-ssh", "--fleet", "dawn", "--instances", "1")
    assert hosts("sandbox", "fault", "add", *mute).returncode == 0
    folder = tmp_path_factory.mktemp("dawn")
    spec = write_spec(folder, "dawn", members="[ana]", expires="1m")
    return start("--sandbox", "up", str(spec), "--ready-within", "15s")


@pytest.fixture(scope="module")
def fleet(hosts: Cli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("evening")
    spec = write_spec(
        folder,
        "evening",
        members=f"[{', '.join((*USED, *UNUSED, 'expired', 'taken'))}]",
        instances="{types: [g4dn.xlarge], market: spot}",
        idle="60m",
        interruption="{sync: {~/work: s3://team-bucket/evening}}",
    )
    told = hosts.json("--sandbox", "up", str(spec), "-o", "json")
    environments = {each["member"]: each for each in told["environments"]}
    told_by = hosts.sandbox_environment()
    with ExitStack() as undo:
        undo.callback(hosts, "--sandbox", "down", "evening")
        yield Fleet(
            cli=hosts,
            ec2=boto3.client(
                "ec2",
                region_name="us-east-1",
                endpoint_url=told_by["AWS_ENDPOINT_URL"],
                aws_access_key_id=told_by["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=told_by["AWS_SECRET_ACCESS_KEY"],
            ),
            config=hosts("--sandbox", "ssh-config", "evening").stdout.strip(),
            authority=hosts("--sandbox", "ca", "evening").stdout,
            environments=environments,
            undo=undo,
        )


@pytest.fixture(scope="module")
def evening(fleet: Fleet, dawn: Running) -> Evening:
    """Everybody begins, and an idle time of seconds with them."""
    run_a_long_cell(fleet)
    keep_a_tab_open(fleet)
    terminal = fleet.ssh("terminal")
    terminal.type("sleep 3600\n")
    shell, taken = fleet.ssh("shell"), fleet.ssh("taken")
    for member, line in {
        "tmux": "tmux new-session -d sleep 3600",
        "gpu": "echo 87 | sudo tee /etc/gpu-load",
        "expired": "echo lost | sudo tee /etc/gpu-load",
        "taken": SAVES,
    }.items():
        on_host(fleet.cli, "evening", member, line)
    members = [word for each in (*USED, *UNUSED, "expired") for word in ("--member", each)]
    began = time.monotonic()
    shortened = fleet.cli("--sandbox", "exec", *members, "evening", "--", SHORTER)
    assert shortened.returncode == 0, shortened.stdout + shortened.stderr
    return Evening(terminal, shell, taken, began)


def run_a_long_cell(fleet: Fleet) -> None:
    """Let a kernel sleep in silence, until it is interrupted or its host ends."""

    def run() -> None:
        with suppress(ProofError, OSError, HTTPException):
            code = "import time; time.sleep(3600)"
            until = time.monotonic() + 3600
            run_cell(fleet.at("cell"), token=fleet.token("cell"), code=code, deadline=until)

    threading.Thread(target=run, daemon=True).start()


def interrupt_the_cell(fleet: Fleet) -> None:
    server, token = fleet.at("cell"), fleet.token("cell")
    (kernel,) = request(server, "GET", "/api/kernels", token=token, timeout=60).json()
    path = f"/api/kernels/{kernel['id']}/interrupt"
    assert request(server, "POST", path, token=token, timeout=60).status == 204


def keep_a_tab_open(fleet: Fleet) -> None:
    """Do what JupyterLab does in an open tab that nobody looks at: a kernel's websocket, and asking for news."""
    server, token = fleet.at("tab"), fleet.token("tab")
    kernel = request(server, "POST", "/api/kernels", token=token, body={}, timeout=60).json()["id"]

    def keep() -> None:
        with suppress(OSError, HTTPException, websocket.WebSocketException):
            channel = websocket.create_connection(
                f"wss://{server.address}:8888/api/kernels/{kernel}/channels",
                header=[f"Authorization: token {token}"],
                sslopt={"context": server.tls},
                timeout=60,
            )
            with closing(channel):
                while channel.connected:
                    for path in (
                        "/api/kernels",
                        "/api/sessions",
                        "/api/contents",
                        "/fleet/watchers",
                    ):
                        assert request(server, "GET", path, token=token, timeout=60).status == 200
                    channel.ping()
                    time.sleep(2)

    threading.Thread(target=keep, daemon=True).start()


def test_before_ec2_takes_it_back_the_work_is_saved(fleet: Fleet, evening: Evening) -> None:
    notice = ("spot-interruption", "--member", "taken", "--notice", "90s")
    assert fleet.cli("sandbox", "fault", "add", *notice).returncode == 0
    evening.taken.wait_for("EC2 takes this Spot instance back in")
    deadline = time.monotonic() + BOUND
    said: dict[str, Any] = {}
    while (said.get("hook"), said.get("sync")) != ("done", "done"):
        assert time.monotonic() < deadline, said
        said = json.loads(on_host(fleet.cli, "evening", "taken", "cat /run/fleet/spot.json"))
    assert (said["state"], said["action"]) == ("interruption", "terminate")
    to = "s3 sync --only-show-errors /home/ubuntu/work s3://team-bucket/evening/taken"
    saved = on_host(fleet.cli, "evening", "taken", "cat saved-work aws-said")
    assert saved == f"saved by ubuntu\nubuntu: {to}\n"


def test_an_open_tab_and_a_shell_at_its_prompt_keep_nothing_up(
    fleet: Fleet, evening: Evening
) -> None:
    ended = fleet.wait_for_the_end(UNUSED)
    assert ended - evening.shortened_at > IDLE - TICKS
    assert "fleet: this environment stops in" in evening.shell.seen.decode()
    assert "nobody has used it" in evening.shell.seen.decode()


def test_what_is_used_stays(fleet: Fleet, evening: Evening) -> None:
    """The others' idle time is over, and more."""
    while time.monotonic() - evening.shortened_at < 2 * IDLE:
        time.sleep(0.5)
    assert {fleet.states()[member] for member in (*USED, "expired")} == {"running"}
    heard = fleet.heard()
    for member, reason in BUSY_BY.items():
        said = heard[member]["lifetime"]
        assert (said["alive"], said["state"]) == (True, "busy"), said
        assert reason in said["reasons"]
    # A check that fails is not idle, and is told.
    said = heard["expired"]["lifetime"]
    assert (said["state"], said["idle_seconds"]) == ("unknown", 0)
    assert "GPU: nvidia-smi failed with exit status 15" in said["reasons"]


def test_once_it_is_used_no_longer_it_ends(fleet: Fleet, evening: Evening) -> None:
    # The last that this one hears; see the next test.
    soon = "date -u -d '+20 seconds' +%Y-%m-%dT%H:%M:%SZ | sudo tee /etc/fleet/expires-at"
    on_host(fleet.cli, "evening", "expired", soon)
    assert fleet.cli("sandbox", "host", "cut", "evening/expired").returncode == 0
    over = time.monotonic()
    interrupt_the_cell(fleet)
    evening.terminal.type("\x03")
    on_host(fleet.cli, "evening", "tmux", "pkill -x sleep; echo")
    on_host(fleet.cli, "evening", "gpu", "echo 0 | sudo tee /etc/gpu-load")
    ended = fleet.wait_for_the_end(USED)
    assert ended - over > IDLE - TICKS


def test_it_expires_though_nobody_can_reach_it(fleet: Fleet, evening: Evening) -> None:
    """Nothing comes in, SSH no more than anything else; and a check that fails holds no expiry up."""
    fleet.wait_for_the_end(("expired", "taken"))
    listed = fleet.cli.json("--sandbox", "ls", "-o", "json")["fleets"]
    assert [each["instances"] for each in listed if each["fleet"] == "evening"] == [0]


def test_it_expires_though_its_ssh_never_came_up(hosts: Cli, dawn: Running) -> None:
    """The timer of the first boot alone: no bootstrap has been there."""
    assert dawn.end(BOUND) == 3, dawn.lines
    deadline = time.monotonic() + BOUND
    while "dawn" in {each["fleet"] for each in _running(hosts)}:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert hosts("--sandbox", "down", "dawn").returncode == 0


def _running(cli: Cli) -> list[dict[str, str]]:
    found: list[dict[str, str]] = cli.json("sandbox", "host", "list", "-o", "json")["hosts"]
    return found
