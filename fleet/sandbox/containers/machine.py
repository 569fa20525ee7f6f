"""One container host from power-on to power-off: a systemd-nspawn and the thread that waits for it.

Takes a host, its disk, a network namespace and a control group; gives why it ended.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from fleet.sandbox.containers import cgroups
from fleet.sandbox.containers.disk import Disk
from fleet.sandbox.hosts import linux
from fleet.sandbox.strays import MARK

REBOOTED = 133
"""systemd-nspawn's exit status when the host asked for a reboot."""
ORDERLY_SECONDS = 20.0
"""What services get to end at an orderly power-off; EC2 gives minutes."""
_LEADER_SECONDS = 10.0
_IN_HOST = b"container=systemd-nspawn"


@dataclass(frozen=True)
class Place:
    """Where a host runs."""

    instance_id: str
    disk: Disk
    namespace: Path
    group: Path


class Machine:
    """A host that was switched on. Its methods may be called from any thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._turn = threading.Lock()
        self._ended = False
        with place.disk.console.open("ab") as console:
            self._process = subprocess.Popen(
                _words(place),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                env=_environment(place),
            )

    def wait(self) -> int:
        """Wait for its end, and for that of every process in it; give nspawn's exit status."""
        status = self._process.wait()
        with self._turn:
            cgroups.end(self._place.group)
            self._ended = True
        return status

    def run(self, *words: str) -> int:
        """Run a program in the host, as its root; give the exit status. 255 where it has no init."""
        leader = self._leader()
        if leader is None:
            return 255
        enter = ["nsenter", "--target", str(leader), "--all", "--", *words]
        try:
            done = subprocess.run(
                enter, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False
            )
        except subprocess.TimeoutExpired:
            return 255
        return done.returncode

    def shut_down(self) -> None:
        """Ask the host to power off in order, and kill what is left of it after a while."""
        # nspawn passes it on to the host's init as SIGRTMIN+3: power off.
        self._process.send_signal(signal.SIGTERM)
        timer = threading.Timer(ORDERLY_SECONDS, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        """End every process of the host now. Once it has ended, its group may be that of its next boot."""
        with self._turn:
            if not self._ended:
                cgroups.end(self._place.group)

    def _leader(self) -> int | None:
        """The host's init: nspawn's child."""
        deadline = time.monotonic() + _LEADER_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            for each in linux.processes():
                if each.parent == self._process.pid and _IN_HOST in linux.environment_of(each.pid):
                    return each.pid
            time.sleep(0.05)
        return None


def _words(place: Place) -> list[str]:
    nspawn = [
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={place.disk.root}",
        f"--machine={place.instance_id}",
        f"--network-namespace-path={place.namespace}",
        "--register=no",
        "--keep-unit",
        "--console=read-only",
        "--resolv-conf=off",
        "--link-journal=no",
        "--timezone=off",
    ]
    # The daemon's death is an orderly power-off of its hosts, whatever killed it.
    inner = ["setpriv", "--pdeathsig", "TERM", *nspawn]
    enter = [f"echo $$ >{shlex.quote(str(each))}" for each in cgroups.members_of(place.group)]
    return ["sh", "-c", " && ".join([*enter, 'exec "$@"']), "sh", *inner]


def _environment(place: Place) -> dict[str, str]:
    return {
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
        "SYSTEMD_LOG_LEVEL": "err",
        MARK: str(place.disk.top),
    }
