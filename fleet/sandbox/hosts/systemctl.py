"""`systemctl` of one host: finds unit files on its disk, loads them, drives their services.

Unit files are read anew at every start, so `daemon-reload` has nothing to do. Timers, sockets and
mounts are not run on such a host: enabling one says so and succeeds.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from fleet.sandbox.hosts import linux
from fleet.sandbox.hosts.commands import Answer, Reply, Request, failed
from fleet.sandbox.hosts.services import Service, Surroundings

if TYPE_CHECKING:
    from fleet.sandbox.hosts import units
    from fleet.sandbox.hosts.unitfiles import UnitFiles

# What scripts for EC2 images wait for or silence. They have no file here and no process.
_RUNNING = frozenset(
    """cloud-init.service cloud-init-local.service cloud-config.service cloud-final.service
    ssh.service sshd.service ssh.socket systemd-journald.service systemd-logind.service
    systemd-networkd.service network.target network-online.target multi-user.target default.target
    basic.target sysinit.target cloud-init.target cloud-config.target dbus.service
    -.slice""".split()
)
_IDLE = frozenset(
    """apt-daily.service apt-daily.timer apt-daily-upgrade.service apt-daily-upgrade.timer
    unattended-upgrades.service snapd.service snapd.socket ufw.service
    amazon-ssm-agent.service""".split()
)
_ROOT_SLICE = "-.slice"
_NOT_FOUND = 5
_VALUED = (
    "-p",
    "--property",
    "-n",
    "--lines",
    "-o",
    "--output",
    "-t",
    "--type",
    "--state",
    "-s",
    "--signal",
)


class Options:
    """A systemctl command line: `verb`, `names`, and the options that matter here."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        self.words: list[str] = []
        self.flags: set[str] = set()
        self.properties: list[str] = []
        self.signal = "SIGTERM"
        rest = list(arguments)
        while rest:
            word = rest.pop(0)
            if word == "--":
                self.words += rest
                break
            if not word.startswith("-"):
                self.words.append(word)
                continue
            option, equals, value = word.partition("=")
            if option in _VALUED and not equals and rest:
                value = rest.pop(0)
            if option.startswith("-p") and not equals and len(option) > 2 and option[1] != "-":
                option, value = "-p", option[2:]
            self.flags.add(option)
            if option in {"-s", "--signal"}:
                self.signal = f"SIG{value.upper().removeprefix('SIG')}"
            if option in {"-p", "--property"}:
                self.properties += value.split(",")
        self.verb = self.words[0] if self.words else "list-units"
        self.names = [_full(word) for word in self.words[1:]]

    def has(self, *flags: str) -> bool:
        """Whether any of `flags` was given."""
        return bool(self.flags & set(flags))


def _full(name: str) -> str:
    known = (".service", ".timer", ".target", ".socket", ".mount", ".path", ".slice")
    return name if name.endswith(known) else f"{name}.service"


class Manager:
    """The units of one host."""

    def __init__(
        self, around: Surroundings, files: UnitFiles, power: Callable[[str], None]
    ) -> None:
        self._around = around
        self._files = files
        self._power = power
        self._services: dict[str, Service] = {}

    # -- for init -----------------------------------------------------------------------------

    async def boot(self) -> None:
        """Start what is enabled; one that fails does not hold the others up."""
        names = self._files.enabled()
        await asyncio.gather(*(self._start(name) for name in names))

    async def shut_down(self, *, limit: float) -> None:
        """Stop every service, each within `limit` seconds."""
        await asyncio.gather(*(each.stop(limit=limit) for each in self._services.values()))

    def run_transient(self, unit: units.Unit) -> Service:
        """A service without a file: what `systemd-run` makes."""
        self._services[unit.name] = Service(unit, self._around)
        return self._services[unit.name]

    # -- the command --------------------------------------------------------------------------

    async def systemctl(self, request: Request) -> Answer:
        """Answer one call of systemctl."""
        options = Options(request.arguments)
        verbs: dict[str, Callable[[Options], Awaitable[Reply]]] = {
            "start": self._each(self._start),
            "stop": self._each(self._stop),
            "restart": self._each(self._restart),
            "try-restart": self._each(self._try_restart),
            "reload-or-restart": self._each(self._restart),
            "enable": self._enable,
            "disable": self._disable,
            "is-active": self._states(lambda state, _: (state, state == "active")),
            "is-failed": self._states(lambda state, _: (state, state == "failed")),
            "is-enabled": self._is_enabled,
            "status": self._status,
            "show": self._show,
            "cat": self._cat,
            "list-units": self._list,
            "list-unit-files": self._list_files,
            "reset-failed": self._reset_failed,
            "kill": self._kill,
        }
        try:
            if options.verb in verbs:
                return await verbs[options.verb](options)
        except ValueError as error:
            return failed(request, f"Unit has a bad unit file setting: {error}")
        return self._simple(request, options)

    def _simple(self, request: Request, options: Options) -> Reply:
        if options.verb in {"daemon-reload", "daemon-reexec", "mask", "unmask", "set-default"}:
            return Reply()
        if options.verb in {"is-system-running", "get-default", "list-timers", "list-jobs"}:
            said = {"is-system-running": "running\n", "get-default": "multi-user.target\n"}
            return Reply(out=said.get(options.verb, "0 listed.\n"))
        if options.verb in {"poweroff", "halt", "reboot"}:
            self._power(options.verb)
            return Reply()
        return failed(
            request, f"Unknown command verb '{options.verb}', or one that this host lacks."
        )

    def _each(self, verb: Callable[[str], Awaitable[str]]) -> Callable[[Options], Awaitable[Reply]]:
        """One verb over all names; what it says of each is an error unless empty."""

        async def over(options: Options) -> Reply:
            said = [await verb(name) for name in options.names]
            if any(text.endswith("not found.") for text in said):
                code = _NOT_FOUND
            else:
                code = int(any(text and not text.startswith("Note:") for text in said))
            return Reply(code=code, err="".join(f"{text}\n" for text in said if text))

        return over

    # -- verbs --------------------------------------------------------------------------------

    def _load(self, name: str) -> Service | None:
        """The service `name` with its present file, or None where there is no such unit."""
        service = self._services.get(name)
        unit = self._files.load(name)
        if unit is None:
            return service
        for warning in unit.warnings:
            self._around.journal.write(name, "systemd", 1, f"{unit.path}: {warning}")
        if service is None:
            service = self._services[name] = Service(unit, self._around)
        elif service.active in {"inactive", "failed"}:
            service.unit = unit
        return service

    async def _start(self, name: str) -> str:
        if name in _RUNNING | _IDLE:
            return ""
        if not name.endswith(".service"):
            return f"Note: {name}: this host runs services only; nothing to start."
        service = self._load(name)
        if service is None:
            return f"Failed to start {name}: Unit {name} not found."
        if not service.unit.start:
            return f"Failed to start {name}: Unit {name} has a bad unit file setting: no ExecStart="
        if await service.start():
            return ""
        return (
            f'Job for {name} failed ({service.result}).\nSee "systemctl status {name}" and '
            f'"journalctl -u {name}" for details.'
        )

    async def _stop(self, name: str) -> str:
        service = self._services.get(name)
        if service is not None:
            await service.stop()
        elif not self._files.find(name) and name not in _RUNNING | _IDLE:
            return f"Failed to stop {name}: Unit {name} not loaded."
        return ""

    async def _restart(self, name: str) -> str:
        if name in self._services:
            await self._services[name].stop()
        return await self._start(name)

    async def _try_restart(self, name: str) -> str:
        service = self._services.get(name)
        return await self._restart(name) if service and service.active == "active" else ""

    async def _enable(self, options: Options) -> Reply:
        said, code = [], 0
        for name in options.names:
            if name in _RUNNING | _IDLE:
                continue
            if not self._files.find(name):
                said.append(f"Failed to enable unit: Unit file {name} does not exist.")
                code = 1
                continue
            if not name.endswith(".service"):
                said.append(f"Note: {name}: this host runs services only; it will not fire.")
            said += self._files.enable(name)
        reply = Reply(code=code, err="".join(f"{text}\n" for text in said))
        if options.has("--now") and not code:
            started = await self._each(self._start)(options)
            return Reply(code=started.code, err=reply.err + started.err)
        return reply

    async def _disable(self, options: Options) -> Reply:
        said = [text for name in options.names for text in self._files.disable(name)]
        if options.has("--now"):
            await self._each(self._stop)(options)
        return Reply(err="".join(f"{text}\n" for text in said))

    def state(self, name: str) -> tuple[str, bool]:
        """A unit's ActiveState, and whether there is such a unit."""
        if name in self._services:
            return self._services[name].active, True
        if name in _RUNNING:
            return "active", True
        return "inactive", bool(self._files.find(name)) or name in _IDLE

    def _states(
        self, judge: Callable[[str, bool], tuple[str, bool]]
    ) -> Callable[[Options], Awaitable[Reply]]:
        async def over(options: Options) -> Reply:
            judged = [judge(*self.state(name)) for name in options.names]
            quiet = options.has("-q", "--quiet")
            good = any(each[1] for each in judged)
            known = any(self.state(name)[1] for name in options.names)
            out = "" if quiet else "".join(f"{each[0]}\n" for each in judged)
            bad = 1 if options.verb == "is-failed" else 3 if known else 4
            return Reply(code=0 if good else bad, out=out)

        return over

    async def _is_enabled(self, options: Options) -> Reply:
        found = [self._enablement(name) for name in options.names]
        missing = [name for name, state in zip(options.names, found, strict=True) if not state]
        out = "" if options.has("-q", "--quiet") else "".join(f"{s}\n" for s in found if s)
        lines = (
            f"Failed to get unit file state for {name}: No such file or directory\n"
            for name in missing
        )
        good = any(state in {"enabled", "static"} for state in found)
        return Reply(code=0 if good else 1, out=out, err="".join(lines))

    def _enablement(self, name: str) -> str:
        if name in _RUNNING:
            return "enabled"
        return "disabled" if name in _IDLE else self._files.enablement(name)

    async def _status(self, options: Options) -> Reply:
        if not options.names:
            return Reply(out=f"● {self._around.environment['HOSTNAME']}\n    State: running\n")
        parts, code = [], 0
        for name in options.names:
            state, known = self.state(name)
            if not known:
                return Reply(code=4, err=f"Unit {name} could not be found.\n")
            code = code if state == "active" else 3
            shown = self._properties(name)
            lines = self._around.journal.lines((name,))[-10:]
            head = f"● {name} - {shown['Description']}\n"
            origin = f"{shown['FragmentPath']}; {shown['UnitFileState']}"
            head += f"     Loaded: {shown['LoadState']} ({origin})\n"
            head += (
                f"     Active: {state} ({shown['SubState']})\n   Main PID: {shown['MainPID']}\n\n"
            )
            parts.append(head + "".join(f"{line}\n" for line in lines))
        return Reply(code=code, out="\n".join(parts))

    def _properties(self, name: str) -> dict[str, str]:
        state, known = self.state(name)
        path = self._files.find(name)
        shown = {"Id": name, "Names": name, "LoadState": "loaded" if known else "not-found"}
        shown |= {"ActiveState": state, "SubState": "running" if state == "active" else "dead"}
        shown |= {
            "Description": name,
            "FragmentPath": str(path or ""),
            "MainPID": "0",
            "NRestarts": "0",
        }
        shown |= {
            "UnitFileState": self._enablement(name),
            "Result": "success",
            "ExecMainStatus": "0",
        }
        if name == _ROOT_SLICE:
            # Every process of the host is below init, which this is.
            shown["CPUUsageNSec"] = str(int(linux.cpu_seconds(os.getpid()) * 1e9))
        service = self._services.get(name)
        if service:
            unit = service.unit
            shown |= {"Description": unit.description, "SubState": service.sub, "Type": unit.type}
            shown |= {"MainPID": str(service.main_pid), "NRestarts": str(service.restarts)}
            shown |= {"Result": service.result, "ExecMainStatus": str(service.exit_status)}
            shown |= {
                "InvocationID": service.invocation,
                "Restart": unit.restart,
                "User": unit.user,
            }
        return shown

    async def _show(self, options: Options) -> Reply:
        blocks = []
        for name in options.names:
            shown = self._properties(name)
            chosen = {key: shown.get(key, "") for key in options.properties or shown}
            form = "{1}\n" if options.has("--value") else "{0}={1}\n"
            blocks.append("".join(form.format(key, text) for key, text in chosen.items()))
        return Reply(out="\n".join(blocks))

    async def _cat(self, options: Options) -> Reply:
        parts = []
        for name in options.names:
            paths = self._files.texts(name)
            if not paths:
                return Reply(code=1, err=f"No files found for {name}.\n")
            parts += [f"# {path}\n{text.rstrip()}\n" for path, text in paths]
        return Reply(out="\n".join(parts))

    async def _list(self, options: Options) -> Reply:
        lines = [
            f"{name} loaded {each.active} {each.sub} {each.unit.description}\n"
            for name, each in sorted(self._services.items())
            if each.active != "inactive" or options.has("--all", "-a")
        ]
        tail = "" if options.has("--no-legend") else f"\n{len(lines)} loaded units listed.\n"
        return Reply(out="".join(lines) + tail)

    async def _list_files(self, options: Options) -> Reply:
        names = options.names or self._files.names()
        return Reply(out="".join(f"{name} {self._enablement(name)}\n" for name in names))

    async def _kill(self, options: Options) -> Reply:
        number = signal.Signals.__members__.get(options.signal)
        if number is None:
            return Reply(code=1, err=f"Failed to parse signal string {options.signal}.\n")
        for name in options.names:
            if name in self._services:
                linux.send(self._services[name].members(), number)
        return Reply()

    async def _reset_failed(self, options: Options) -> Reply:
        for name in options.names or list(self._services):
            if name in self._services:
                self._services[name].reset_failed()
        return Reply()
