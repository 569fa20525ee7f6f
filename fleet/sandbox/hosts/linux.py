"""What the sandbox asks of the kernel: parents that bury orphans, and who descends from whom.

Takes process ids, gives process ids. Touches no process that does not descend from the one named.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38

# What a host's root may keep when the sandbox itself runs as root: files, accounts, low ports.
# Everything else (rebooting, mounting, the clock, modules, the network's set-up) is the machine's.
_KEPT_CAPABILITIES = frozenset({0, 1, 2, 3, 4, 5, 6, 7, 10, 18, 27, 31})
_LAST_CAPABILITY = 40


@dataclass(frozen=True)
class Proc:
    """One line of the process table. `born` is in clock ticks since the machine's boot, `used` is the CPU time
    of the process and of its children that were waited for, in clock ticks."""

    pid: int
    parent: int
    session: int
    state: str
    born: int
    used: int


def _prctl(option: int, value: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0)) == 0


def end_with_parent(parent: int) -> None:
    """Ask for SIGTERM when `parent` dies; end at once if it has died already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends (a daemon forks twice to
    escape)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def renounce_privileges() -> None:
    """No setuid program works below here, and root may not touch the machine itself."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    if os.geteuid() == 0:
        for capability in range(_LAST_CAPABILITY + 1):
            if capability not in _KEPT_CAPABILITIES:
                _prctl(_PR_CAPBSET_DROP, capability)


def process(pid: int) -> Proc | None:
    """One process, or None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Proc(
        pid=pid,
        state=fields[0],
        parent=int(fields[1]),
        session=int(fields[3]),
        born=int(fields[19]),
        used=sum(map(int, fields[11:15])),
    )


def processes() -> list[Proc]:
    """Every process, zombies too."""
    found = (process(int(name)) for name in os.listdir("/proc") if name.isdigit())  # noqa: PTH208
    return [each for each in found if each]


def descendants(root: int) -> list[Proc]:
    """Every process below `root`, without zombies; parents stand before their children."""
    return [each for each in _below(root) if each.state != "Z"]


def cpu_seconds(root: int) -> float:
    """CPU time that `root` and all that ever was below it have used, as far as it was waited for."""
    own = process(root)
    ticks = sum(each.used for each in (*([own] if own else []), *_below(root)))
    return ticks / os.sysconf("SC_CLK_TCK")


def _below(root: int) -> list[Proc]:
    children: dict[int, list[Proc]] = defaultdict(list)
    for each in processes():
        children[each.parent].append(each)
    found = list(children[root])
    for each in found:  # grows while it is walked
        found.extend(children[each.pid])
    return found


def environment_of(pid: int) -> bytes:
    """The environment a process began with, or nothing where it cannot be read."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def command_of(pid: int) -> list[str]:
    """The argument vector of a process, or nothing where it cannot be read."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in raw.rstrip(b"\0").split(b"\0")]


def send(pids: list[int], number: int) -> None:
    """Signal each of `pids` that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def reap() -> list[tuple[int, int]]:
    """Bury every child that has ended; give (pid, exit code), negative for a signal."""
    buried = []
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            buried.append((pid, os.waitstatus_to_exitcode(status)))
    return buried


def end_orphans(keep: set[int], *, deadline: float) -> list[tuple[int, int]]:
    """SIGKILL every descendant of this process that is not in `keep` nor below it, until none is
    left.

    The caller must be a subreaper. Returns what was reaped meanwhile; `deadline` is monotonic.
    """
    buried = []
    while True:
        buried += reap()
        me = os.getpid()
        strays = [each.pid for each in processes() if each.parent == me and each.pid not in keep]
        if not strays or time.monotonic() > deadline:
            return buried
        send(strays, signal.SIGKILL)
        time.sleep(0.005)
