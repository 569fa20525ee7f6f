"""The process driver: hosts for any Linux user, without root and without Docker.

A host is a folder (its disk) and a tree of processes below one init. It has its own address, SSH
server, home, units and journal, but shares the machine's kernel, programs and /tmp. User data is
kept on its disk, readable by its user alone, but not run: cloud-init needs the container driver.

What keeps a host from the machine is its PATH (stand-ins for everything that would touch it), not a
wall: a program called by its absolute path is the machine's, and `kill -9 -1` is the user's own.
No setuid program works on a host, and where root runs the sandbox, its hosts cannot mount, reboot,
set the clock or load modules.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import SandboxError
from fleet.sandbox import strays
from fleet.sandbox.hosts import console, hypervisor
from fleet.sandbox.hosts.bytecode import compile_new
from fleet.sandbox.hosts.kept import keep
from fleet.sandbox.hosts.packages import package_cache
from fleet.sandbox.hosts.paths import HostPaths
from fleet.sandbox.strays import MARK
from fleet.sandbox.trees import remove_tree

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig, PowerOff

_END_SECONDS = 5 * hypervisor.END_SECONDS
"""The hypervisor kills a host long before that; a busy machine gets five times."""


@dataclass
class _Booted:
    """A host that was booted and has not been seen to end. `expected`: somebody asked for its
    end."""

    expected: bool = False
    ended: threading.Event = field(default_factory=threading.Event)


class ProcessDriver:
    """A HostDriver. `directory` is the sandbox's; `on_power_off` is called from a thread of its
    own. `metadata_url` gives where the host at an address finds its instance metadata."""

    def __init__(
        self,
        directory: Path,
        on_power_off: PowerOff,
        metadata_url: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._directory = directory.resolve()
        self._on_power_off = on_power_off
        self._metadata_url = metadata_url
        self._lock = threading.Lock()
        self._booted: dict[str, _Booted] = {}
        self._users: dict[str, str] = {}
        self._orders: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._cache = package_cache(self._directory, os.environ)
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._compiling: subprocess.Popen[bytes] | None = None
        self._compile()

    def boot(self, host: HostConfig) -> None:
        """Begin to boot. A host that runs is left alone."""
        with self._lock:
            if host.instance_id in self._booted:
                return
            self._booted[host.instance_id] = _Booted()
            self._compile()
            self._users[host.instance_id] = host.user
            told = replace(host, metadata_url=self._metadata_url(host.address))
            self._order({"boot": hypervisor.encode_host(told)})

    def power_off(self, instance_id: str) -> None:
        """End every process of the host, keep its disk. An unknown host has none."""
        with self._lock:
            booted = self._booted.get(instance_id)
            if booted is None:
                return
            if not booted.expected:
                booted.expected = True
                self._order({"end": instance_id})
        if not booted.ended.wait(_END_SECONDS):
            raise SandboxError(
                f"host {instance_id} did not end within {_END_SECONDS:.0f} s",
                remedy="run `fleet sandbox stop`",
            )

    def destroy(self, instance_id: str) -> None:
        """End every process of the host and remove its disk."""
        self.power_off(instance_id)
        remove_tree(self._directory / "hosts" / instance_id)
        with self._lock:
            self._users.pop(instance_id, None)

    def keep(self, instance_id: str, name: str) -> None:
        """Keep a copy of the host's disk."""
        keep(self._directory / "hosts" / instance_id, self._directory / hypervisor.KEPT / name)

    def forget(self, name: str) -> None:
        """Remove a kept disk."""
        remove_tree(self._directory / hypervisor.KEPT / name)

    def console(self, instance_id: str) -> str:
        """The console output so far; empty for an unknown host."""
        return console.read(self._paths(instance_id))

    def count(self) -> int:
        """How many hosts there are, powered off or not."""
        with self._lock:
            return len(self._users)

    def close(self) -> None:
        """Destroy every host, all at a time, and end the hypervisor."""
        with self._lock:
            known = list(self._users)
            for instance_id, booted in self._booted.items():
                if not booted.expected:
                    booted.expected = True
                    self._order({"end": instance_id})
        for instance_id in known:
            self.destroy(instance_id)
        self._close_hypervisor()
        if self._compiling is not None:
            self._compiling.kill()
            self._compiling.wait()

    def _paths(self, instance_id: str) -> HostPaths:
        top = self._directory / "hosts" / instance_id
        return HostPaths(top, self._users.get(instance_id, ""))

    def _compile(self) -> None:
        """Compile what hosts have brought into the cache since; the lock is held."""
        if self._compiling is None or self._compiling.poll() is not None:
            self._compiling = compile_new(self._cache, {MARK: str(self._directory / "hosts")})

    # -- the hypervisor -----------------------------------------------------------------------

    def _order(self, message: dict[str, object]) -> None:
        """Send one order; the lock is held. A hypervisor that has gone is replaced for a boot."""
        data = json.dumps(message).encode()
        try:
            orders = self._orders or self._start_hypervisor()
            orders.send(data)
        except OSError as error:
            raise SandboxError(
                f"the sandbox's hosts cannot be reached ({error})", remedy="restart the sandbox"
            ) from error

    def _start_hypervisor(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, hypervisor.MESSAGE_LIMIT)
            module = "fleet.sandbox.hosts.hypervisor"
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(self._directory), str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, MARK: str(self._directory / "hosts")},
                start_new_session=True,
            )
        self._orders = ours
        threading.Thread(
            target=self._listen, args=(ours, self._process), name="hosts", daemon=True
        ).start()
        return ours

    def _listen(self, orders: socket.socket, process: subprocess.Popen[bytes]) -> None:
        """Hear which hosts have ended, until the hypervisor closes its end."""
        while True:
            try:
                message = orders.recv(hypervisor.MESSAGE_LIMIT)
            except OSError:
                message = b""
            if not message:
                break
            self._ended(json.loads(message)["ended"])
        with self._lock:
            left = list(self._booted)
            process.wait()
            if left:
                # Its hosts end themselves, which takes a moment; nobody may boot on their addresses before.
                strays.end(self._directory)
            if self._orders is orders:
                self._orders = None
        orders.close()
        for instance_id in left:
            self._ended(instance_id)

    def _ended(self, instance_id: str) -> None:
        with self._lock:
            booted = self._booted.pop(instance_id, None)
        if booted is None:
            return
        booted.ended.set()
        if not booted.expected:
            # Not in this thread: whoever is told may well ask for the host's end, which is heard
            # here.
            threading.Thread(target=self._on_power_off, args=(instance_id,), daemon=True).start()

    def _close_hypervisor(self) -> None:
        with self._lock:
            process, orders = self._process, self._orders
            self._process = self._orders = None
        if orders is not None:
            orders.shutdown(socket.SHUT_RDWR)
        if process is not None:
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
