"""Unit files: what systemd's syntax says, as a frozen `Unit`. Pure: text in, `Unit` out.

Only what services of a fleet use is honoured; keys that change nothing on such a host are known and
passed over, any other is reported in `Unit.warnings`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_PASSED_OVER = frozenset(
    """Documentation After Before Wants Requires BindsTo PartOf Conflicts DefaultDependencies
    Upholds ConditionPathExists AssertPathExists ConditionVirtualization OnFailure StartLimitAction
    RefuseManualStop ExecReload ExecStartPost ExecStopPost GuessMainPID PIDFile NotifyAccess
    WatchdogSec SyslogIdentifier SyslogLevel Group SupplementaryGroups DynamicUser PAMName
    SuccessExitStatus KillMode SendSIGKILL SendSIGHUP OOMScoreAdjust OOMPolicy Nice
    CPUSchedulingPolicy CPUWeight CPUQuota CPUAffinity CPUAccounting IOWeight IOSchedulingClass
    IOSchedulingPriority IOAccounting MemoryAccounting MemoryMax MemoryHigh MemorySwapMax TasksMax
    TasksAccounting Slice Delegate NUMAPolicy NUMAMask LimitNOFILE LimitNPROC LimitCORE LimitMEMLOCK
    LimitSTACK LimitAS NoNewPrivileges PrivateTmp PrivateDevices PrivateNetwork ProtectSystem
    ProtectHome ProtectKernelTunables ProtectKernelModules ProtectKernelLogs ProtectControlGroups
    ProtectClock ProtectHostname ProtectProc ReadWritePaths ReadOnlyPaths InaccessiblePaths
    RestrictSUIDSGID RestrictNamespaces RestrictRealtime RestrictAddressFamilies LockPersonality
    MemoryDenyWriteExecute SystemCallFilter SystemCallArchitectures CapabilityBoundingSet
    AmbientCapabilities RemoveIPC UMaskDirectory StandardInput TTYPath RuntimeMaxSec
    RestartPreventExitStatus RuntimeDirectoryMode StateDirectoryMode CacheDirectoryMode
    LogsDirectoryMode RuntimeDirectoryPreserve RequiredBy Also Alias SourcePath FailureAction
    SuccessAction RestartSteps RestartMaxDelaySec CollectMode StopWhenUnneeded Persistent
    IPAddressDeny IPAddressAllow KeyringMode ProcSubset UnsetEnvironment TimeoutAbortSec""".split()
)
_SPANS = {"us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60}
_SPANS |= {
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 604800,
    "week": 604800,
}
_PREFIXES = "-@:+!"

Values = dict[str, list[str]]


@dataclass(frozen=True)
class ExecLine:
    """One Exec line: its words, unexpanded. `may_fail` is the prefix `-`."""

    words: tuple[str, ...]
    may_fail: bool = False
    verbatim: bool = False


@dataclass(frozen=True)
class Unit:
    """One service. Times are in seconds, `float("inf")` for none."""

    name: str
    path: str
    description: str = ""
    type: str = "simple"
    user: str = ""
    directory: str = ""
    directory_optional: bool = False
    start_pre: tuple[ExecLine, ...] = ()
    start: tuple[ExecLine, ...] = ()
    stop: tuple[ExecLine, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    environment_files: tuple[str, ...] = ()
    pass_environment: tuple[str, ...] = ()
    restart: str = "no"
    restart_seconds: float = 0.1
    remain_after_exit: bool = False
    stop_seconds: float = 90.0
    start_seconds: float = 90.0
    kill_signal: str = "SIGTERM"
    limit_burst: int = 5
    limit_seconds: float = 10.0
    umask: int = 0o022
    output: str = "journal"
    error: str = "inherit"
    folders: tuple[str, ...] = ()
    wanted_by: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def seconds(text: str) -> float:
    """A time span of systemd: `5`, `100ms`, `1min 30s`, `infinity`. Raises ValueError."""
    text = text.strip()
    if text == "infinity":
        return float("inf")
    parts = re.findall(r"([\d.]+)\s*([a-z]*)", text)
    if not parts:
        raise ValueError(f"not a time span: {text!r}")
    units = (
        (float(number), (unit[:-1] if unit not in _SPANS else unit) or "s")
        for number, unit in parts
    )
    return sum(number * _SPANS.get(unit, 1) for number, unit in units)


def truth(text: str) -> bool:
    """A boolean of systemd."""
    return text.strip().lower() in {"1", "yes", "true", "on"}


def sections(texts: list[str]) -> dict[str, Values]:
    """The keys of a unit file and its drop-ins by section. An empty value forgets those before
    it."""
    found: dict[str, Values] = {}
    for text in texts:
        section: Values = {}
        for raw in re.sub(r"\\\n\s*", " ", text).splitlines():
            line = raw.strip()
            if line.startswith("[") and line.endswith("]"):
                section = found.setdefault(line[1:-1], {})
            elif line and line[0] not in "#;" and "=" in line:
                key, _, value = line.partition("=")
                values = section.setdefault(key.strip(), [])
                values.append(value.strip())
                if not value.strip():
                    values.clear()
    return found


def expand(text: str, specifiers: Mapping[str, str]) -> str:
    """Replace `%h` and its like; `%%` is a percent sign, unknown ones stay."""
    return re.sub(r"%(.)", lambda m: {**specifiers, "%": "%"}.get(m[1], m[0]), text)


def words(text: str) -> tuple[str, ...]:
    """A line's words, by systemd's quoting. Raises ValueError where a quote is open."""
    return tuple(shlex.split(text, comments=False))


def assignments(texts: list[str]) -> dict[str, str]:
    """`Environment=` lines as a dictionary."""
    pairs = (word.partition("=") for text in texts for word in words(text))
    return {name: value for name, equals, value in pairs if equals}


def environment_file(text: str) -> dict[str, str]:
    """An EnvironmentFile's variables."""
    lines = (line.strip() for line in text.splitlines())
    chosen = (line.partition("=") for line in lines if line and line[0] not in "#;" and "=" in line)
    return {
        name.strip(): "".join(words(value)) if value[:1] in "'\"" else value
        for name, _, value in chosen
    }


def _line(text: str) -> ExecLine:
    bare = text.lstrip(_PREFIXES)
    prefix = text[: len(text) - len(bare)]
    split = words(bare)
    if "@" in prefix and len(split) > 1:
        split = (split[0], *split[2:])
    return ExecLine(split, may_fail="-" in prefix, verbatim=":" in prefix)


class _Reader:
    """Takes keys out of the sections; what is left over at the end was not understood."""

    def __init__(self, found: dict[str, Values], specifiers: Mapping[str, str]) -> None:
        self._found = found
        self._specifiers = specifiers
        self._known: set[tuple[str, str]] = set()

    def all(self, section: str, key: str) -> list[str]:
        self._known.add((section, key))
        return [
            expand(text, self._specifiers) for text in self._found.get(section, {}).get(key, [])
        ]

    def one(self, section: str, key: str, default: str = "") -> str:
        return (self.all(section, key) or [default])[-1]

    def lines(self, key: str) -> tuple[ExecLine, ...]:
        return tuple(_line(text) for text in self.all("Service", key))

    def unknown(self) -> list[str]:
        keys = ((section, key) for section, values in self._found.items() for key in values)
        odd = (each for each in keys if each not in self._known and each[1] not in _PASSED_OVER)
        return [
            f"Unknown key name '{key}' in section '{section}', ignoring." for section, key in odd
        ]


def _folders(read: _Reader) -> tuple[str, ...]:
    places = {"Runtime": "/run", "State": "/var/lib", "Cache": "/var/cache", "Logs": "/var/log"}
    places["Configuration"] = "/etc"
    named = ((top, read.all("Service", f"{kind}Directory")) for kind, top in places.items())
    return tuple(f"{top}/{name}" for top, texts in named for text in texts for name in text.split())


def _limit(read: _Reader, key: str, default: str) -> str:
    return read.one("Unit", key, read.one("Service", key, default))


def parse(name: str, path: str, texts: list[str], specifiers: Mapping[str, str]) -> Unit:
    """The unit `name` from its file and drop-ins. Raises ValueError where a value makes no
    sense."""
    read = _Reader(sections(texts), specifiers)
    directory = read.one("Service", "WorkingDirectory")
    oneshot = read.one("Service", "Type", "simple") == "oneshot"
    overall = read.one("Service", "TimeoutSec", "")
    wanted = [word for text in read.all("Install", "WantedBy") for word in text.split()]
    interval = _limit(read, "StartLimitInterval", "10")
    unit = Unit(
        name=name,
        path=path,
        description=read.one("Unit", "Description", name),
        type=read.one("Service", "Type", "simple"),
        user=read.one("Service", "User"),
        directory=directory.lstrip("-"),
        directory_optional=directory.startswith("-"),
        start_pre=read.lines("ExecStartPre"),
        start=read.lines("ExecStart"),
        stop=read.lines("ExecStop"),
        environment=assignments(read.all("Service", "Environment")),
        environment_files=tuple(read.all("Service", "EnvironmentFile")),
        pass_environment=tuple(" ".join(read.all("Service", "PassEnvironment")).split()),
        restart=read.one("Service", "Restart", "no"),
        restart_seconds=seconds(read.one("Service", "RestartSec", "100ms")),
        remain_after_exit=truth(read.one("Service", "RemainAfterExit", "no")),
        stop_seconds=seconds(read.one("Service", "TimeoutStopSec", overall or "90")),
        start_seconds=seconds(
            read.one("Service", "TimeoutStartSec", overall or ("infinity" if oneshot else "90"))
        ),
        kill_signal=read.one("Service", "KillSignal", "SIGTERM"),
        limit_burst=int(_limit(read, "StartLimitBurst", "5")),
        limit_seconds=seconds(_limit(read, "StartLimitIntervalSec", interval)),
        umask=int(read.one("Service", "UMask", "0022"), 8),
        output=read.one("Service", "StandardOutput", "journal"),
        error=read.one("Service", "StandardError", "inherit"),
        folders=_folders(read),
        wanted_by=tuple(wanted),
    )
    return Unit(**{**vars(unit), "warnings": tuple(read.unknown())})


_VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}")


def arguments(line: ExecLine, environment: Mapping[str, str]) -> list[str]:
    """The words of an Exec line with variables put in, as systemd does: `$X` may become several
    words."""
    if line.verbatim:
        return list(line.words)
    found: list[str] = []
    for word in line.words:
        if re.fullmatch(r"\$\w+", word):
            found += environment.get(word[1:], "").split()
        else:
            found.append(_VARIABLE.sub(lambda m: environment.get(m[1], "") if m[1] else "$", word))
    return found
