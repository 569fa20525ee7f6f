"""A host's init: boots it, answers its stand-ins, runs its services, and ends everything it began.

Runs in a process of its own, forked by `hypervisor`; single-threaded. Its exit code says whether
the host wants to be started again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncssh

from fleet.sandbox.hosts import commands, console, disk, linux, programs, sshd
from fleet.sandbox.hosts.children import Children
from fleet.sandbox.hosts.commands import Command, answers
from fleet.sandbox.hosts.environment import host_environment, host_name
from fleet.sandbox.hosts.journal import Journal
from fleet.sandbox.hosts.nvidia import NvidiaSmi, load_below
from fleet.sandbox.hosts.power import Power
from fleet.sandbox.hosts.services import Surroundings
from fleet.sandbox.hosts.sudo import Sudo
from fleet.sandbox.hosts.systemctl import Manager
from fleet.sandbox.hosts.unitfiles import UnitFiles

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig
    from fleet.sandbox.hosts.paths import HostPaths

POWERED_OFF = 0
REBOOT = 64
STOP_SECONDS = 2.0
"""What services get to end when the host goes down; then the same again for everything else."""

_NAMES = tuple(  # one block reads better than a list of strings
    """sudo systemctl journalctl loginctl shutdown poweroff halt reboot apt-get apt dnf yum
    nvidia-smi hostname cloud-init mount umount useradd usermod passwd systemd-run pkill killall
    pgrep""".split()
)


@dataclass(frozen=True)
class Machine:
    """What a boot is given: `listen_at` is on the monotonic clock, `cache` the sandbox's own, `kept` its kept disks."""

    host: HostConfig
    paths: HostPaths
    cache: Path
    kept: Path
    listen_at: float


class Init:
    """One host from power-on to power-off."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        host, paths = machine.host, machine.paths
        self._loop = asyncio.get_running_loop()
        self._verdict: asyncio.Future[int] = self._loop.create_future()
        self._children = Children(self._loop)
        self._journal = Journal(paths.log / "journal")
        environment = host_environment(host, paths, environ=os.environ, cache=machine.cache)
        around = Surroundings(paths, environment, self._children, self._journal, self._standin)
        self._site = sshd.Site(host, paths, environment, self._children)
        self._power = Power(self._go_down)
        self._manager = Manager(around, UnitFiles(paths, environment), self._power.now)

    def _standin(self, name: str) -> str | None:
        return str(self._machine.paths.bin / name) if name in _NAMES else None

    def _go_down(self, what: str) -> None:
        if not self._verdict.done():
            self._verdict.set_result(REBOOT if what == "reboot" else POWERED_OFF)

    def _commands(self) -> dict[str, Command]:
        host, paths = self._machine.host, self._machine.paths
        sudo = Sudo(paths, self._standin)
        finished = paths.root / "var/lib/cloud/instance/boot-finished"
        found: dict[str, Command] = {
            "sudo": sudo.sudo,
            "systemctl": self._manager.systemctl,
            "journalctl": self._journal.journalctl,
            "shutdown": self._power.shutdown,
            "nvidia-smi": answers(
                lambda r: NvidiaSmi(host.instance_id, host.gpus, load_below(paths.root)).answer(r)
            ),
            "hostname": answers(programs.hostname(host)),
            "cloud-init": answers(programs.cloud_init(finished)),
            "loginctl": answers(programs.loginctl),
            "systemd-run": answers(programs.systemd_run(self._manager.run_transient)),
        }
        found |= dict.fromkeys(("poweroff", "halt", "reboot"), self._power.at_once)
        found |= dict.fromkeys(("apt-get", "apt", "dnf", "yum"), answers(programs.installer))
        found |= dict.fromkeys(("useradd", "usermod", "passwd"), answers(programs.accounts(host)))
        found |= dict.fromkeys(("mount", "umount"), answers(programs.mounts))
        found |= dict.fromkeys(("pkill", "killall", "pgrep"), answers(programs.processes_by_name))
        return found

    async def live(self) -> int:
        """Boot, wait until told to go down, go down."""
        self._loop.add_signal_handler(signal.SIGTERM, self._go_down, "poweroff")
        boot = asyncio.create_task(self._boot())
        try:
            either: set[asyncio.Future[Any]] = {boot, self._verdict}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if boot.done():
                boot.result()
            return await self._verdict
        finally:
            boot.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await boot
            await self._manager.shut_down(limit=STOP_SECONDS)
            await self._children.end_all(grace=STOP_SECONDS)

    async def _boot(self) -> None:
        host, paths = self._machine.host, self._machine.paths
        disk.prepare(host, paths, _NAMES, kept=self._machine.kept)
        console.begin(paths, host)
        key = disk.host_key(paths, f"root@{host_name(host.address)}")
        self._server = await commands.serve(paths.socket, self._commands())
        await asyncio.sleep(max(0.0, self._machine.listen_at - time.monotonic()))
        self._acceptor = await sshd.listen(self._site, key)
        (paths.root / "var/lib/cloud/instance/boot-finished").touch()
        console.finish(paths, host, key)
        await self._manager.boot()


async def _live(machine: Machine) -> int:
    return await Init(machine).live()


def run(machine: Machine) -> int:
    """Be init. Returns POWERED_OFF or REBOOT when nothing is left below this process."""
    linux.adopt_orphans()
    linux.renounce_privileges()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    asyncssh.set_log_level(logging.WARNING)
    return asyncio.run(_live(machine))
