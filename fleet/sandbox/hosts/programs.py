"""The smaller stand-ins of a host: what each says, and why it does no more."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.hosts import linux, units
from fleet.sandbox.hosts.commands import Answer, Reply, Request, failed
from fleet.sandbox.hosts.environment import host_name
from fleet.sandbox.hosts.units import ExecLine, Unit
from fleet.sandbox.trees import remove_tree

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig
    from fleet.sandbox.hosts.services import Service

_INSTALLERS_VALUED = ("-o", "--option", "-t", "--target-release", "-c", "--setopt", "--releasever")
_HAS_NO_PACKAGES = (
    "this host has no packages of its own; install with uv or pip into an environment"
)


def hostname(host: HostConfig) -> Callable[[Request], Answer]:
    """`hostname`, `-I`, `-i`."""

    def answer(request: Request) -> Answer:
        short = set("".join(word[1:] for word in request.arguments if word.startswith("-")))
        return Reply(
            out=f"{host.address}\n" if short & {"I", "i"} else f"{host_name(host.address)}\n"
        )

    return answer


def installer(request: Request) -> Answer:
    """`apt-get`, `apt`, `dnf`, `yum`: nothing to install from, and that is said."""
    words, rest = [], list(request.arguments)
    while rest:
        word = rest.pop(0)
        if word in _INSTALLERS_VALUED and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            words.append(word)
    if words[:1] == ["install"] and len(words) > 1:
        lines = (f"E: Unable to locate package {name}: {_HAS_NO_PACKAGES}\n" for name in words[1:])
        return Reply(code=100, err="".join(lines))
    return Reply(out=f"{request.name}: {_HAS_NO_PACKAGES}\n")


def cloud_init(finished: Path) -> Callable[[Request], Answer]:
    """`cloud-init status [--wait] [--long] [--format json]` and `clean`. User data is kept, not run."""

    def answer(request: Request) -> Answer:
        words = request.arguments
        state = "done" if finished.exists() else "running"
        if "json" in words or "--format=json" in words:
            extended = {
                "status": state,
                "extended_status": state,
                "errors": [],
                "detail": "DataSourceEc2Local",
            }
            return Reply(out=json.dumps(extended, indent=1) + "\n")
        if words[:1] == ("status",):
            more = "extended_status: done\ndetail: DataSourceEc2Local\nerrors: []\n"
            return Reply(out=f"status: {state}\n" + (more if {"--long", "-l"} & set(words) else ""))
        if words[:1] == ("--version",):
            return Reply(out="/usr/bin/cloud-init 24.4\n")
        if words[:1] == ("clean",):
            return _clean(finished.parents[1], words) or Reply()
        return failed(request, "a sandbox host answers `cloud-init status` and `clean` only")

    return answer


def _clean(cloud: Path, words: tuple[str, ...]) -> Reply | None:
    """Forget all boots; the next one is a first one. Nothing of the machine is removed, wherever a link leads."""
    if cloud.resolve() != cloud or not cloud.is_dir():
        return Reply(code=1, err=f"Error: Could not remove {cloud.name}\n")
    for each in cloud.iterdir():
        if each.name != "seed" or {"--seed", "-s"} & set(words):
            remove_tree(each)
    logs = (cloud.parents[1] / "log").glob("cloud-init*.log")
    for log in logs if {"--logs", "-l"} & set(words) else ():
        log.unlink()
    return None


def accounts(host: HostConfig) -> Callable[[Request], Answer]:
    """`useradd`, `usermod`, `passwd`: there is one user, and it stays as it is."""

    def answer(request: Request) -> Answer:
        if request.name == "useradd":
            return failed(request, f"this host has one user, {host.user}, and cannot have more")
        return Reply()

    return answer


def mounts(request: Request) -> Answer:
    """`mount`, `umount`: no devices but the root."""
    if request.name == "mount" and not request.arguments:
        return Reply(out="/dev/root on / type ext4 (rw,relatime)\n")
    return failed(request, "this host has no devices of its own to mount", code=32)


def loginctl(request: Request) -> Answer:
    """`loginctl`: every user lingers here."""
    if "show-user" in request.arguments:
        return Reply(out="Linger=yes\n")
    return Reply()


def _matches(request: Request) -> tuple[list[int], int, bool]:
    """The host's own processes that a pkill-like call names, its signal, and whether it is `-l`."""
    number, pattern, whole, exact, listed = (
        signal.SIGTERM,
        "",
        False,
        request.name == "killall",
        False,
    )
    rest = list(request.arguments)
    while rest:
        word = rest.pop(0)
        name = word.lstrip("-").upper().removeprefix("SIG")
        if word in {"-u", "-U", "-P", "-g", "-s", "-t", "--signal"} and rest:
            value = rest.pop(0).upper().removeprefix("SIG")
            number = _signal(value) or number if word in {"-s", "--signal"} else number
        elif word.startswith("-") and _signal(name):
            number = _signal(name) or number
        elif word.startswith("-"):
            whole, exact = whole or "f" in word[1:], exact or "x" in word[1:]
            listed = listed or "l" in word[1:] or "a" in word[1:]
        else:
            pattern = word
    found = []
    for each in linux.descendants(os.getpid()):
        command = linux.command_of(each.pid)
        text = " ".join(command) if whole else Path(command[0]).name if command else ""
        same = text == pattern if exact else re.search(pattern, text)
        if same and pattern and each.pid != request.pid and "/.standin" not in " ".join(command):
            found.append(each.pid)
    return found, number, listed


def _signal(name: str) -> signal.Signals | None:
    if name.isdigit() and int(name) in set(signal.Signals):
        return signal.Signals(int(name))
    return signal.Signals.__members__.get(f"SIG{name}")


def processes_by_name(request: Request) -> Answer:
    """`pkill`, `killall`, `pgrep`: this host's processes only."""
    try:
        found, number, listed = _matches(request)
    except re.error as error:
        return failed(request, f"invalid pattern: {error}", code=2)
    if request.name == "pgrep":
        names = {pid: f" {' '.join(linux.command_of(pid))}" if listed else "" for pid in found}
        return Reply(code=0 if found else 1, out="".join(f"{pid}{names[pid]}\n" for pid in found))
    linux.send(found, number)
    return Reply(code=0 if found else 1)


def systemd_run(run: Callable[[Unit], Service]) -> Callable[[Request], Answer]:
    """`systemd-run [--unit=NAME] [--on-active=TIME] [-p KEY=VALUE] COMMAND…`: a unit without a
    file."""
    count = 0

    def answer(request: Request) -> Answer:
        nonlocal count
        count += 1
        name, delay, rest = f"run-u{count}", "0", list(request.arguments)
        while rest and rest[0].startswith("-"):
            option, equals, value = rest.pop(0).partition("=")
            if option in {
                "--unit",
                "-u",
                "--on-active",
                "-p",
                "--property",
                "--uid",
                "--description",
            }:
                value = value if equals else (rest.pop(0) if rest else "")
            name = value if option in {"--unit", "-u"} else name
            delay = value if option == "--on-active" else delay
        if not rest:
            return failed(request, "Command line to execute required.")
        name = name if name.endswith(".service") else f"{name}.service"
        try:
            wait = (ExecLine(("/bin/sleep", str(units.seconds(delay)))),) if delay != "0" else ()
        except ValueError as error:
            return failed(request, str(error))
        line = ExecLine(tuple(rest), verbatim=True)
        service = run(
            Unit(name=name, path="", description=" ".join(rest), start_pre=wait, start=(line,))
        )
        service.begin()
        return Reply(err=f"Running as unit: {name}\n")

    return answer
