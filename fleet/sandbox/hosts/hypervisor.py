"""Forks the inits of all hosts from one process that has imported asyncssh once: hosts share its
memory.

Takes orders from `process` over a socket, one JSON object a message, and tells it when a host has
ended. When the socket closes, for whatever reason, every host ends. A process that outlives its
host's init becomes a child of this one (a subreaper) and is killed.
"""

from __future__ import annotations

import base64
import dataclasses
import gc
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.sandbox.driver import Framework, Gpu, HostConfig
from fleet.sandbox.hosts import init, linux
from fleet.sandbox.hosts.packages import package_cache
from fleet.sandbox.hosts.paths import HostPaths

MESSAGE_LIMIT = 2**18
KEPT = "images"
"""The folder of kept disks, in the sandbox's own."""
END_SECONDS = 3 * init.STOP_SECONDS + 5
"""An init that has not ended its host by then is killed, and what was below it too."""


def encode_host(host: HostConfig) -> dict[str, Any]:
    """A HostConfig as JSON can hold it."""
    return {**dataclasses.asdict(host), "user_data": base64.b64encode(host.user_data).decode()}


def decode_host(fields: dict[str, Any]) -> HostConfig:
    """The HostConfig that `encode_host` was given."""
    gpus = tuple(Gpu(**gpu) for gpu in fields["gpus"])
    keys, data = tuple(fields["authorized_keys"]), base64.b64decode(fields["user_data"])
    framework = Framework(**fields["framework"]) if fields["framework"] else None
    exact = {"gpus": gpus, "framework": framework, "authorized_keys": keys, "user_data": data}
    return HostConfig(**{**fields, **exact, "ailments": ()})


@dataclass
class _Running:
    """A host with its init. `kill_at` is set once it was told to end."""

    host: HostConfig
    pid: int
    kill_at: float | None = None


class Hypervisor:
    """The hosts of one sandbox."""

    def __init__(self, directory: Path, orders: socket.socket) -> None:
        self._directory = directory
        self._orders = orders
        self._hosts: dict[str, _Running] = {}
        self._closing = False

    def run(self) -> None:
        """Until the socket has closed and the last host has ended."""
        wake, wakened = os.pipe()
        for fd in (wake, wakened):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wakened)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda *_: self._close())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while not self._closing or self._hosts:
            sources = [wake] if self._closing else [wake, self._orders.fileno()]
            ready, _, _ = select.select(sources, [], [], self._patience())
            if wake in ready:
                os.read(wake, 4096)
            if self._orders.fileno() in ready:
                self._obey()
            self._kill_overdue()
            self._bury(linux.reap())

    def _patience(self) -> float | None:
        due = [each.kill_at for each in self._hosts.values() if each.kill_at is not None]
        return max(0.0, min(due) - time.monotonic()) + 0.01 if due else None

    def _obey(self) -> None:
        try:
            message = self._orders.recv(MESSAGE_LIMIT)
        except OSError:
            message = b""
        if not message:
            self._close()
            return
        order = json.loads(message)
        if "boot" in order:
            self._boot(decode_host(order["boot"]))
        elif order["end"] in self._hosts:
            self._end(self._hosts[order["end"]])
        else:
            self._tell(order["end"])

    def _close(self) -> None:
        self._closing = True
        for each in self._hosts.values():
            self._end(each)

    def _end(self, running: _Running) -> None:
        if running.kill_at is None:
            running.kill_at = time.monotonic() + END_SECONDS
            linux.send([running.pid], signal.SIGTERM)

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        overdue = [each for each in self._hosts.values() if each.kill_at and each.kill_at < now]
        linux.send([each.pid for each in overdue], signal.SIGKILL)

    def _bury(self, ended: list[tuple[int, int]]) -> None:
        while ended:
            codes = dict(ended)
            gone = [each for each in self._hosts.values() if each.pid in codes]
            keep = {each.pid for each in self._hosts.values()} - codes.keys()
            # Another init may end during this; it is buried in the next round.
            ended = linux.end_orphans(keep, deadline=time.monotonic() + 10)
            for each in gone:
                del self._hosts[each.host.instance_id]
                if codes[each.pid] == init.REBOOT and each.kill_at is None:
                    self._boot(each.host)
                else:
                    self._tell(each.host.instance_id)

    def _tell(self, instance_id: str) -> None:
        try:
            self._orders.send(json.dumps({"ended": instance_id}).encode())
        except OSError:
            self._close()

    def _boot(self, host: HostConfig) -> None:
        paths = HostPaths(self._directory / "hosts" / host.instance_id, host.user)
        listen_at = time.monotonic() + host.boot_seconds
        cache, kept = package_cache(self._directory, os.environ), self._directory / KEPT
        machine = init.Machine(host, paths, cache, kept, listen_at)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            os._exit(self._become_init(machine, parent))
        self._hosts[host.instance_id] = _Running(host, pid)

    def _become_init(self, machine: init.Machine, parent: int) -> int:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.setsid()
            linux.end_with_parent(parent)
            self._orders.close()
            machine.paths.log.mkdir(parents=True, exist_ok=True)
            log = os.open(machine.paths.log / "init", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            os.dup2(log, 1)
            os.dup2(log, 2)
            code = init.run(machine)
        except BaseException:  # noqa: BLE001 - a forked child must not return into its parent's code
            traceback.print_exc()
        return code


def main() -> None:
    """`python -m fleet.sandbox.hosts.hypervisor DIRECTORY FD`."""
    os.umask(0o022)
    linux.adopt_orphans()
    orders = socket.socket(fileno=int(sys.argv[2]))
    os.set_inheritable(orders.fileno(), False)  # noqa: FBT003
    gc.collect()
    gc.freeze()  # a collection in a host would copy every page that it shares
    Hypervisor(Path(sys.argv[1]), orders).run()


if __name__ == "__main__":
    main()
