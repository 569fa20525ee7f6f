"""Hosts for the tests, and a client to log in to them with. All waits are bounded."""

from __future__ import annotations

import base64
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import paramiko

from fleet.sandbox.addresses import Addresses, ssh_port
from fleet.sandbox.driver import Gpu, HostConfig
from fleet.sandbox.hosts import linux
from fleet.sandbox.hosts.process import ProcessDriver

PATIENCE = 30.0
"""Seconds that anything may take: five times what the slowest of it takes on a free machine."""


def wait_until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Wait until `true()`, or fail saying `what` did not come."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


def answers(address: str, port: int) -> bool:
    """Whether an SSH server greets there."""
    try:
        with socket.create_connection((address, port), timeout=5) as sock:
            return sock.recv(4) == b"SSH-"
    except OSError:
        return False


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Host:
    """A booted host, as its user sees it."""

    config: HostConfig
    top: Path
    key: Path

    @contextmanager
    def client(self, *, user: str = "", key: Path | None = None) -> Iterator[paramiko.SSHClient]:
        """A connection, its host key checked against the host's disk."""
        config = self.config
        public = (self.top / "root/etc/ssh/ssh_host_ed25519_key.pub").read_text().split()
        name = config.address if config.ssh_port == 22 else f"[{config.address}]:{config.ssh_port}"
        pinned = paramiko.Ed25519Key(data=paramiko.message.Message(_decode(public[1])).asbytes())
        with paramiko.SSHClient() as client:
            client.get_host_keys().add(name, "ssh-ed25519", pinned)
            client.set_missing_host_key_policy(paramiko.RejectPolicy())
            client.connect(
                config.address,
                port=config.ssh_port,
                username=user or config.user,
                pkey=paramiko.Ed25519Key.from_private_key_file(str(key or self.key)),
                look_for_keys=False,
                allow_agent=False,
                timeout=PATIENCE,
                banner_timeout=PATIENCE,
                auth_timeout=PATIENCE,
            )
            yield client

    def run(self, command: str, *, stdin: bytes = b"") -> Done:
        """Run one command to its end."""
        with self.client() as client:
            source, out, err = client.exec_command(command, timeout=PATIENCE)
            writer = threading.Thread(target=_feed, args=(source, stdin))
            writer.start()
            said, complained = out.read().decode(), err.read().decode()
            code = out.channel.recv_exit_status()
            writer.join(PATIENCE)
            return Done(code, said, complained)

    def check(self, command: str) -> str:
        """Run one command that must succeed; its output."""
        done = self.run(command)
        assert done.code == 0, done
        return done.out

    def listening(self) -> bool:
        """Whether its SSH server greets."""
        return answers(self.config.address, self.config.ssh_port)


def _decode(text: str) -> bytes:
    return base64.b64decode(text)


def _feed(source: paramiko.ChannelFile, data: bytes) -> None:
    try:
        source.write(data)
        source.channel.shutdown_write()
    except OSError:
        pass  # the command did not want it all


class Yard:
    """A driver with its hosts."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.addresses = Addresses()
        self.port = ssh_port(self.addresses.network)
        self.powered_off: list[str] = []
        self.driver = ProcessDriver(directory / "sandbox", self.powered_off.append)
        self.key = self.new_key("login")
        self._count = 0

    def new_key(self, name: str) -> Path:
        """A fresh login key."""
        key = asyncssh.generate_private_key("ssh-ed25519", comment=name)
        path = self.directory / name
        key.write_private_key(str(path))
        path.chmod(0o600)
        key.write_public_key(f"{path}.pub")
        return path

    def config(self, *, gpus: tuple[Gpu, ...] = (), boot_seconds: float = 0.0) -> HostConfig:
        """A host that has not been booted."""
        self._count += 1
        return HostConfig(
            instance_id=f"i-{self._count:017x}",
            address=self.addresses(),
            ssh_port=self.port,
            user="ubuntu",
            authorized_keys=(Path(f"{self.key}.pub").read_text(),),
            gpus=gpus,
            user_data=b"#!/bin/sh\ntrue\n",
            boot_seconds=boot_seconds,
        )

    def boot(self, config: HostConfig | None = None, **changes: object) -> Host:
        """Boot a host and wait until one can log in."""
        config = replace(config or self.config(), **changes)  # type: ignore[arg-type]
        host = Host(config, self.top(config), self.key)
        self.driver.boot(config)
        wait_until(host.listening, f"SSH of {config.instance_id}")
        return host

    def top(self, config: HostConfig) -> Path:
        """The folder of a host."""
        return self.directory / "sandbox/hosts" / config.instance_id

    def processes(self, host: Host) -> list[int]:
        """Every process that began on this host."""
        return processes_of(host.top)

    def close(self) -> None:
        """End everything."""
        self.driver.close()
        self.addresses.close()


def processes_of(top: Path) -> list[int]:
    """Every process with the mark of this host in its environment."""
    mark = f"FLEET_HOST={top}".encode()
    found = (each.pid for each in linux.processes() if each.state != "Z")
    return [pid for pid in found if mark in linux.environment_of(pid).split(b"\0")]
