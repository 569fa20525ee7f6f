"""The container driver: a HostDriver whose hosts are whole machines but for the kernel."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import FleetError, SandboxError, UsageError
from fleet.sandbox.containers import base, cgroups
from fleet.sandbox.containers.ailments import amount_of, link_of
from fleet.sandbox.containers.disk import Disk
from fleet.sandbox.containers.kept import KeptDisks
from fleet.sandbox.containers.links import WHOLE, Link
from fleet.sandbox.containers.machine import ORDERLY_SECONDS, REBOOTED, Machine, Place
from fleet.sandbox.containers.network import Vpc

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig, PowerOff

_END_SECONDS = 5 * ORDERLY_SECONDS
_ENDS_AT_ONCE = 8
_log = logging.getLogger(__name__)


@dataclass
class _Host:
    """A host that was booted. `expected`: somebody asked for its end, so nobody is told of it."""

    config: HostConfig
    disk: Disk
    machine: Machine | None = None
    expected: bool = False
    running: bool = False
    link: Link = WHOLE
    ended: threading.Event = field(default_factory=threading.Event)


class ContainerDriver:
    """A HostDriver. `directory` is the sandbox's; `on_power_off` is called from a host's own thread."""

    def __init__(self, directory: Path, vpc: Vpc, on_power_off: PowerOff) -> None:
        self._directory = directory.resolve()
        self._vpc = vpc
        self._base = base.tree()
        self._kept = KeptDisks(self._directory / "images")
        self._on_power_off = on_power_off
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}
        # A host's files are its own business; a host's root is not this machine's user.
        (self._directory / "hosts").mkdir(mode=0o711, parents=True, exist_ok=True)

    def boot(self, host: HostConfig) -> None:
        """Begin to boot. A host that runs is left alone."""
        with self._lock:
            known = self._hosts.get(host.instance_id)
            if known is not None and known.running:
                return
            disk = Disk(self._directory / "hosts" / host.instance_id)
            link = known.link if known else link_of(host.ailments)
            booted = self._hosts[host.instance_id] = _Host(host, disk, running=True, link=link)
        name = f"host-{host.instance_id}"
        threading.Thread(target=self._live, args=(booted,), name=name, daemon=True).start()

    def power_off(self, instance_id: str) -> None:
        """Power the host off in order, keep its disk. An unknown host has none."""
        self._end(instance_id, Machine.shut_down)

    def destroy(self, instance_id: str) -> None:
        """End every process of the host and remove its disk."""
        self._end(instance_id, Machine.kill)
        with self._lock:
            self._hosts.pop(instance_id, None)
        Disk(self._directory / "hosts" / instance_id).remove()

    def keep(self, instance_id: str, name: str) -> None:
        """Keep a copy of what the host wrote, with the names of the kept disks below it."""
        with self._lock:
            host = self._hosts[instance_id]
        self._kept.keep(host.disk.upper, name, below=host.config.kept_disk)

    def forget(self, name: str) -> None:
        """Remove a kept disk once no host and no other kept disk stands on it."""
        with self._lock:
            used = [host.config.kept_disk for host in self._hosts.values()]
        self._kept.forget(name, used=used)

    def console(self, instance_id: str) -> str:
        """The console output so far; empty for an unknown host."""
        with self._lock:
            known = self._hosts.get(instance_id)
        if known is None or not known.disk.console.is_file():
            return ""
        return known.disk.console.read_text(errors="replace").replace("\r\n", "\n")

    def count(self) -> int:
        """How many hosts there are, powered off or not."""
        with self._lock:
            return len(self._hosts)

    def close(self) -> None:
        """Destroy every host, all at a time, and the network."""
        with self._lock:
            known = list(self._hosts)
        with ThreadPoolExecutor(_ENDS_AT_ONCE, thread_name_prefix="close") as pool:
            list(pool.map(self.destroy, known))
        cgroups.end_all(self._directory)
        self._vpc.close()

    # -- what befalls a host ------------------------------------------------------------------

    def link(self, instance_id: str, change: Callable[[Link], Link]) -> None:
        """Change the host's link, for this boot and those to come."""
        host = self._running(instance_id)
        with self._lock:
            host.link = change(host.link)
            self._vpc.link(host.config.address, host.link)

    def link_words(self, instance_id: str) -> str:
        """How the host's link is, in a few words."""
        with self._lock:
            known = self._hosts.get(instance_id)
        return known.link.words if known else ""

    def reboot_itself(self, instance_id: str) -> None:
        """The host reboots, as by `sudo reboot` on it."""
        self._systemctl(instance_id, "reboot")

    def power_itself_off(self, instance_id: str) -> None:
        """The host powers itself off, as by `sudo poweroff` on it."""
        self._systemctl(instance_id, "poweroff")

    def _systemctl(self, instance_id: str, verb: str) -> None:
        machine = self._running(instance_id).machine
        if machine is None or machine.run("systemctl", "--no-block", verb) != 0:
            raise UsageError(
                f"host {instance_id} did not take `systemctl {verb}`",
                remedy="it may still be booting",
            )

    def _running(self, instance_id: str) -> _Host:
        with self._lock:
            known = self._hosts.get(instance_id)
        if known is None or not known.running:
            raise UsageError(f"host {instance_id} does not run", remedy="see `fleet status NAME`")
        return known

    # -- lives --------------------------------------------------------------------------------

    def _live(self, host: _Host) -> None:
        """Boot, and boot again as long as the host reboots."""
        try:
            while self._once(host) == REBOOTED and not host.expected:
                _log.info("%s reboots", host.config.instance_id)
        except (FleetError, OSError):
            _log.exception("host %s could not be run", host.config.instance_id)
        finally:
            self._ended(host)

    def _once(self, host: _Host) -> int:
        config, disk = host.config, host.disk
        disk.top.mkdir(parents=True, exist_ok=True)
        disk.limit(amount_of(config.ailments, "small-disk"))
        disk.furnish(config, base=self._base, gateway=self._vpc.gateway)
        disk.mount([*self._kept.layers(config.kept_disk), self._base])
        memory = amount_of(config.ailments, "small-memory")
        group = cgroups.make(self._directory, config.instance_id, memory_mib=memory)
        place = Place(config.instance_id, disk, self._vpc.plug(config.address), group)
        with self._lock:
            self._vpc.link(config.address, host.link)
            if host.expected:
                return 0
            host.machine = Machine(place)
        try:
            return host.machine.wait()
        finally:
            host.machine = None
            self._vpc.unplug(config.address)
            disk.unmount()

    def _ended(self, host: _Host) -> None:
        with self._lock:
            host.running = False
            told = not host.expected
        self._vpc.unplug(host.config.address)
        host.disk.unmount()
        host.ended.set()
        if told:
            self._on_power_off(host.config.instance_id)

    def _end(self, instance_id: str, how: Callable[[Machine], None]) -> None:
        with self._lock:
            known = self._hosts.get(instance_id)
            if known is None or not known.running:
                return
            known.expected = True
            machine = known.machine
        if machine is not None:
            how(machine)
        if not known.ended.wait(_END_SECONDS):
            raise SandboxError(
                f"host {instance_id} did not end within {_END_SECONDS:.0f} s",
                remedy="run `fleet sandbox stop`",
            )
