"""Counts vCPUs against quotas. Takes what shall run and what was observed; gives what fits, and what is missing.

What is stopped does not count; On-Demand and Spot are counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.errors import QuotaError
from fleet.plan.facts.hardware import MARKET_NAMES, InstanceTypeFact, Market, QuotaFacts
from fleet.plan.hardware.quota_codes import family_of

Choice = tuple[str, Market]
"""An instance type in a market."""


@dataclass(frozen=True)
class Wanted:
    """What shall run besides what runs: `count` instances of the choices in their order, and each of `started`."""

    choices: tuple[Choice, ...]
    count: int
    started: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class QuotaCheck:
    """One quota against one choice, in vCPUs. `name` is the family's, such as `G and VT`."""

    code: str
    name: str
    market: Market
    instance_types: tuple[str, ...]
    used: int
    needed: int
    limit: int

    @property
    def free(self) -> int:
        """vCPUs that may run besides what runs."""
        return max(self.limit - self.used, 0)

    @property
    def missing(self) -> int:
        """vCPUs by which the quota is too small; 0 where it fits."""
        return max(self.used + self.needed - self.limit, 0) if self.needed else 0

    @property
    def fits(self) -> bool:
        """Whether the quota allows it."""
        return self.missing == 0

    @property
    def value(self) -> int:
        """The quota to ask for; today's where it fits."""
        return self.limit + self.missing

    @property
    def label(self) -> str:
        """Which quota, for people."""
        return f"{MARKET_NAMES[self.market]} {self.name} ({self.code})"

    def __str__(self) -> str:
        text = f"{self.label}: {self.used} in use + {self.needed} of {self.limit} vCPUs"
        return text if self.fits else f"{text}, {self.missing} missing"


@dataclass(frozen=True)
class QuotaReport:
    """Every choice's quota, in the order of preference. `unchecked` says what could not be counted, and why."""

    checks: tuple[QuotaCheck, ...]
    unchecked: tuple[str, ...]
    fits: bool

    @property
    def lacking(self) -> QuotaCheck | None:
        """The first choice's quota where it is too small; where the first fits, one that must fit and does not."""
        short = [check for check in self.checks if not check.fits]
        if short and (short[0] is self.checks[0] or not self.fits):
            return short[0]
        return None


@dataclass(frozen=True)
class QuotaRequest:
    """A request to raise a quota, as Service Quotas has it. `value` is in vCPUs."""

    request_id: str
    code: str
    value: int
    status: str
    created_at: datetime | None


def check_quotas(
    wanted: Wanted, facts: QuotaFacts, types: Mapping[str, InstanceTypeFact]
) -> QuotaReport:
    """Count. A quota that is not known refuses nothing: it is told in `unchecked`."""
    if facts.unread:
        return QuotaReport((), (f"quotas were not checked: {facts.unread}",), fits=True)
    count = _Count(facts, types)
    fixed = count.fixed(wanted.started)
    checks = [c for choice in wanted.choices if (c := count.check(choice, wanted.count, fixed))]
    rows = {(check.code, check.needed): check for check in reversed(_merged(checks))}
    covered = {check.code for check in checks}
    alone = [c for choice in wanted.started if (c := count.check(choice, 0, fixed))]
    rest = [check for check in _merged(alone) if check.code not in covered]
    unchecked = tuple(dict.fromkeys(count.unknown))
    holds = count.holds(wanted, fixed) and all(check.fits for check in rest)
    return QuotaReport((*reversed(rows.values()), *rest), unchecked, fits=holds)


def require_quota(report: QuotaReport, *, count: int) -> None:
    """Raise QuotaError where no choice fits; the line names the quota, what is missing and the value to ask for."""
    if report.fits:
        return
    first = report.lacking
    assert first is not None  # noqa: S101 - what does not fit lacks something
    others = [str(check) for check in report.checks if check is not first and not check.fits]
    tail = f"; nor does {', nor '.join(others)}" if others else ""
    raise QuotaError(
        f"{_refusal(first, count)}{tail}",
        remedy=f"`fleet quota SPEC --request` asks AWS for {first.value}",
    )


def quota_warnings(report: QuotaReport) -> Iterable[str]:
    """Say what was not checked, and where a launch fits although its first choice does not."""
    yield from report.unchecked
    first = report.lacking
    if report.fits and first is not None:
        fitting = [f"{_types(c)} ({c.label})" for c in report.checks if c.fits]
        then = f"; what fits: {', '.join(fitting)}" if fitting else "; parts fit in other quotas"
        yield f"the first choice does not fit its quota: {first}{then}"


def _refusal(check: QuotaCheck, count: int) -> str:
    need = f"{count} x {_types(check)}" if count else f"starting {_types(check)}"
    if check.limit == 0:
        return (
            f"this account may run no {MARKET_NAMES[check.market]} {check.name} instances yet: its quota "
            f"{check.code} is 0, as in every new account, and {need} needs {check.needed} vCPUs"
        )
    return (
        f"{need} needs {check.needed} vCPUs, and {check.free} of {check.limit} are free: quota "
        f"{check.label} is {check.missing} too small ({check.missing} missing)"
    )


def _types(check: QuotaCheck) -> str:
    return " or ".join(check.instance_types)


def _merged(checks: Iterable[QuotaCheck]) -> list[QuotaCheck]:
    """Join choices that need the same of the same quota."""
    rows: dict[tuple[str, int], QuotaCheck] = {}
    for check in checks:
        key = (check.code, check.needed)
        names = rows[key].instance_types if key in rows else ()
        joined = tuple(dict.fromkeys((*names, *check.instance_types)))
        rows[key] = QuotaCheck(
            check.code, check.name, check.market, joined, check.used, check.needed, check.limit
        )
    return list(rows.values())


class _Count:
    """The arithmetic over one set of facts; collects in `unknown` what it cannot count."""

    def __init__(self, facts: QuotaFacts, types: Mapping[str, InstanceTypeFact]) -> None:
        self._facts = facts
        self._types = types
        self._used = self._by_code()
        self.unknown: list[str] = []

    def check(self, choice: Choice, count: int, fixed: Mapping[str, int]) -> QuotaCheck | None:
        """Count one choice; None where its quota or its size is not known."""
        name, market = choice
        code, family = self._code(choice), family_of(name)
        if code is None or family is None or name not in self._types:
            self.unknown.append(self._why(choice))
            return None
        needed = fixed.get(code, 0) + count * self._types[name].vcpus
        return QuotaCheck(
            code=code,
            name=family.name,
            market=market,
            instance_types=(name,),
            used=self._used[code],
            needed=needed,
            limit=self._facts.limits[code],
        )

    def fixed(self, started: Iterable[Choice]) -> Mapping[str, int]:
        """Give the vCPUs by code that starting stopped instances takes."""
        taken: Counter[str] = Counter()
        for choice in started:
            code = self._code(choice)
            if code is not None and choice[0] in self._types:
                taken[code] += self._types[choice[0]].vcpus
        return taken

    def holds(self, wanted: Wanted, fixed: Mapping[str, int]) -> bool:
        """Whether the quotas of the choices hold all together: what one lacks, EC2 takes from the next."""
        codes = [(self._code(choice), choice[0]) for choice in wanted.choices]
        if any(code is None or name not in self._types for code, name in codes):
            return True
        smallest: dict[str, int] = {}
        for code, name in codes:
            if code is not None:
                vcpus = self._types[name].vcpus
                smallest[code] = min(vcpus, smallest.get(code, vcpus))
        rooms = {
            code: self._facts.limits[code] - self._used[code] - fixed.get(code, 0)
            for code in smallest
        }
        if any(room < 0 and fixed.get(code, 0) for code, room in rooms.items()):
            return False
        fitting = sum(max(room, 0) // smallest[code] for code, room in rooms.items())
        return fitting >= wanted.count

    def _by_code(self) -> Counter[str]:
        used: Counter[str] = Counter()
        for choice, vcpus in self._facts.in_use.items():
            if (code := self._code(choice)) is not None:
                used[code] += vcpus
        return used

    def _code(self, choice: Choice) -> str | None:
        family = family_of(choice[0])
        codes = family.codes(choice[1]) if family else ()
        return next((code for code in codes if code in self._facts.limits), None)

    def _why(self, choice: Choice) -> str:
        name, market = choice
        family = family_of(name)
        if family is None or not family.codes(market):
            return f"which quota counts {name} as {MARKET_NAMES[market]} is not known: not checked"
        codes = " and ".join(family.codes(market))
        return f"the quota of {name} as {MARKET_NAMES[market]} ({codes}) is not known: not checked"


def check_as_json(check: QuotaCheck) -> dict[str, object]:
    """Give one quota's arithmetic as JSON, in vCPUs."""
    return {
        "code": check.code,
        "name": check.name,
        "market": check.market,
        "instance_types": list(check.instance_types),
        "used": check.used,
        "needed": check.needed,
        "limit": check.limit,
        "missing": check.missing,
        "value_to_ask_for": check.value,
    }
