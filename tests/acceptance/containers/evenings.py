"""Fleets whose environments are used in different ways, and an idle time of seconds: what ends them, and what does not.

Nothing but the hosts decides: what is waited for is that EC2 says `terminated`. A drop-in makes the idle time a matter
of seconds; an hour's is the same code.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any

import websocket

from fleet.errors import ProofError
from fleet.jupyter.http import Server, request
from fleet.jupyter.kernel import run_cell
from tests.acceptance.aws import client
from tests.acceptance.containers.running import on_host
from tests.acceptance.containers.standing import Image
from tests.command import Cli, write_spec

IDLE = 20.0
"""Seconds; the watchers then look every second."""
PATIENCE = 300.0
"""Seconds for what takes a minute on a quiet machine."""
TICKS = 10.0
"""What rounding, a look, and the steps of a terminal's access time may take away from an idle time."""
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


@dataclass(frozen=True)
class Uses:
    """The member who uses an environment in each of these ways. The last two do not count as use."""

    cell: str
    terminal: str
    tmux: str
    gpu: str
    tab: str
    shell: str

    @property
    def busy(self) -> dict[str, list[str]]:
        """Why each environment that is used is busy, by member."""
        found: dict[str, list[str]] = {}
        for use, reason in BUSY_BY.items():
            found.setdefault(getattr(self, use), []).append(reason)
        return found

    @property
    def idle(self) -> tuple[str, ...]:
        """Whose environments are not used."""
        return tuple(dict.fromkeys((self.tab, self.shell)))


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
        deadline = time.monotonic() + PATIENCE
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
class Fleet:
    """The fleet, and how to ask EC2 and Jupyter for it."""

    name: str
    cli: Cli
    uses: Uses
    ec2: Any
    config: str
    authority: str
    environments: dict[str, dict[str, Any]]
    undo: ExitStack

    def run(self, member: str, line: str) -> str:
        """Run a line for the shell on a member's host."""
        return on_host(self.cli, self.name, member, line)

    def states(self) -> dict[str, str]:
        """EC2's word for each member's instance."""
        told = self.ec2.describe_instances(
            Filters=[{"Name": "tag:fleet:name", "Values": [self.name]}]
        )
        found = [i for r in told["Reservations"] for i in r["Instances"]]
        return {
            tag["Value"]: instance["State"]["Name"]
            for instance in found
            for tag in instance["Tags"]
            if tag["Key"] == "fleet:member"
        }

    def wait_for_the_end(self, *members: str) -> float:
        """Wait until EC2 says that these are terminated; give when the first of them was not running any more."""
        began = time.monotonic()
        first = 0.0
        while True:
            states = {member: self.states()[member] for member in members}
            if not first and set(states.values()) != {"running"}:
                first = time.monotonic()
            if set(states.values()) == {"terminated"}:
                return first
            assert time.monotonic() - began < PATIENCE, (states, self.heard())
            time.sleep(0.5)

    def heard(self) -> dict[str, Any]:
        """What the watchers of each living environment say, by `fleet status`."""
        told = self.cli.json("--sandbox", "status", self.name, "-o", "json")["environments"]
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
            ["ssh", "-F", self.config, "-tt", f"{self.name}-{member}"],
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


@contextmanager
def fleet_of(
    cli: Cli, image: Image, folder: Path, name: str, uses: Uses, *others: str
) -> Iterator[Fleet]:
    """A fleet on Spot instances, with an environment for each member that uses one, and for others."""
    spec = write_spec(
        folder,
        name,
        members=f"[{', '.join((*uses.busy, *uses.idle, *others))}]",
        image=f"{{id: {image.image_id}}}",
        instances="{types: [g4dn.xlarge], market: spot}",
        idle="60m",
        interruption=f"{{sync: {{~/work: s3://team-bucket/{name}}}}}",
    )
    told = cli.json("--sandbox", "up", str(spec), "-o", "json")
    with ExitStack() as undo:
        undo.callback(cli, "--sandbox", "down", name)
        yield Fleet(
            name=name,
            cli=cli,
            uses=uses,
            ec2=client(cli, "ec2"),
            config=cli("--sandbox", "ssh-config", name).stdout.strip(),
            authority=cli("--sandbox", "ca", name).stdout,
            environments={each["member"]: each for each in told["environments"]},
            undo=undo,
        )


@dataclass(frozen=True)
class Evening:
    """What has begun at once: sessions on terminals, and from when on idle time counts."""

    terminal: Session
    shell: Session
    shortened_at: float


def begin(fleet: Fleet, *others: str) -> Evening:
    """Let everybody begin, and an idle time of seconds with them; for others too."""
    uses = fleet.uses
    run_a_long_cell(fleet)
    keep_a_tab_open(fleet)
    terminal = fleet.ssh(uses.terminal)
    terminal.type("sleep 3600\n")
    shell = fleet.ssh(uses.shell)
    fleet.run(uses.tmux, "tmux new-session -d sleep 3600")
    fleet.run(uses.gpu, "echo 87 | sudo tee /etc/gpu-load")
    words = [word for each in (*uses.busy, *uses.idle, *others) for word in ("--member", each)]
    began = time.monotonic()
    shortened = fleet.cli("--sandbox", "exec", *words, fleet.name, "--", SHORTER)
    assert shortened.returncode == 0, shortened.stdout + shortened.stderr
    return Evening(terminal, shell, began)


def run_a_long_cell(fleet: Fleet) -> None:
    """Let a kernel sleep in silence, until it is interrupted or its host ends."""
    member = fleet.uses.cell

    def run() -> None:
        with suppress(ProofError, OSError, HTTPException):
            code = "import time; time.sleep(3600)"
            until = time.monotonic() + 3600
            run_cell(fleet.at(member), token=fleet.token(member), code=code, deadline=until)

    threading.Thread(target=run, daemon=True).start()


def interrupt_the_cell(fleet: Fleet) -> None:
    server, token = fleet.at(fleet.uses.cell), fleet.token(fleet.uses.cell)
    (kernel,) = request(server, "GET", "/api/kernels", token=token, timeout=60).json()
    path = f"/api/kernels/{kernel['id']}/interrupt"
    assert request(server, "POST", path, token=token, timeout=60).status == 204


def keep_a_tab_open(fleet: Fleet) -> None:
    """Do what JupyterLab does in an open tab that nobody looks at: a kernel's websocket, and asking for news."""
    server, token = fleet.at(fleet.uses.tab), fleet.token(fleet.uses.tab)
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


def those_idle_end(fleet: Fleet, evening: Evening) -> None:
    """See that an open tab and a shell at its prompt keep no environment up."""
    ended = fleet.wait_for_the_end(*fleet.uses.idle)
    assert ended - evening.shortened_at > IDLE - TICKS
    assert "fleet: this environment stops in" in evening.shell.seen.decode()
    assert "nobody has used it" in evening.shell.seen.decode()


def those_used_stay(fleet: Fleet, evening: Evening) -> None:
    """See that what is used stays when the others' idle time is over, and more."""
    while time.monotonic() - evening.shortened_at < 2 * IDLE:
        time.sleep(0.5)
    states, heard = fleet.states(), fleet.heard()
    for member, reasons in fleet.uses.busy.items():
        assert states[member] == "running"
        said = heard[member]["lifetime"]
        assert (said["alive"], said["state"]) == (True, "busy"), said
        assert set(reasons) <= set(said["reasons"])
