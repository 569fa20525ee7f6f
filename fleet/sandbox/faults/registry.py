"""The faults that are switched on, and whether one strikes. Thread-safe; the clock is handed in.

A fault strikes a call once, however often the call meets it: a CreateFleet that asks five pools
which a fault has emptied is one hit.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from fleet.errors import UsageError
from fleet.sandbox.faults.conditions import Conditions
from fleet.sandbox.faults.kinds import KINDS, Kind
from fleet.sandbox.faults.reading import near, read_conditions


@dataclass
class Fault:
    """One fault. Its draws are those of its number, so that a rehearsal can be repeated.

    `cleared` is set when somebody clears it: whoever waits because of it need not any longer.
    """

    number: int
    kind: Kind
    conditions: Conditions
    options: Mapping[str, str]
    until: float | None
    hits: int = 0
    passed: int = 0
    cleared: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._draws = random.Random(self.number)  # noqa: S311 - no secret depends on it

    @property
    def id(self) -> str:
        """How `clear` names it."""
        return f"f{self.number}"

    @property
    def left(self) -> int | None:
        """How often it will still strike; None is for good."""
        times = self.conditions.times
        return None if times is None else times - self.hits

    def seconds_left(self, now: float) -> float | None:
        """How long it will still strike; None is for good."""
        return None if self.until is None else max(self.until - now, 0.0)

    def over(self, now: float) -> bool:
        """Whether it will never strike again."""
        return self.cleared.is_set() or self.left == 0 or self.seconds_left(now) == 0

    def strikes(self) -> bool:
        """Whether it strikes this one of those that it might, counting it."""
        if self.passed < self.conditions.skip:
            self.passed += 1
            return False
        if self.conditions.rate < 1 and self._draws.random() >= self.conditions.rate:
            return False
        self.hits += 1
        return True


Matches = Callable[[Fault], bool]


class Faults:
    """All faults of one cloud. `clock` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._faults: list[Fault] = []
        self._call = threading.local()

    def add(self, name: str, options: Mapping[str, str]) -> Fault:
        """Switch a fault on. Raises UsageError for a name or an option that is wrong."""
        conditions = read_conditions(name, options)
        seconds = conditions.for_seconds
        with self._lock:
            until = None if seconds is None else self.clock() + seconds
            number = next(self._numbers)
            fault = Fault(number, KINDS[name], conditions, dict(options), until)
            self._faults.append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Every fault that was not cleared, those that are over too, in the order of the adding."""
        with self._lock:
            return list(self._faults)

    def clear(self, *which: str) -> list[Fault]:
        """Switch faults off by id or by name; all of them where none is given."""
        with self._lock:
            known = {name for fault in self._faults for name in (fault.id, fault.kind.name)}
            unknown = next((name for name in which if name not in known), None)
            if unknown is not None:
                remedy = near(unknown, known) or "see `fleet sandbox fault list`"
                raise UsageError(f"no fault {unknown!r} is switched on", remedy=remedy)
            gone = [f for f in self._faults if not which or {f.id, f.kind.name} & set(which)]
            self._faults = [fault for fault in self._faults if fault not in gone]
        for fault in gone:
            fault.cleared.set()
        return gone

    @contextmanager
    def one_call(self) -> Iterator[None]:
        """What this thread asks inside is about one call."""
        self._call.struck = set()
        try:
            yield
        finally:
            self._call.struck = None

    def met(self, name: str, matches: Matches) -> Fault | None:
        """The first fault of the kind that strikes this call."""
        struck: set[int] | None = getattr(self._call, "struck", None)
        with self._lock:
            for fault in self._of(name):
                again = struck is not None and fault.number in struck
                if not matches(fault) or not (again or self._strikes(fault)):
                    continue
                if struck is not None:
                    struck.add(fault.number)
                return fault
        return None

    def met_by_instance(self, name: str, matches: Matches) -> Fault | None:
        """The first fault of the kind that strikes one more instance."""
        with self._lock:
            return next((f for f in self._of(name) if matches(f) and self._strikes(f)), None)

    def threatened(self, name: str, matches: Matches) -> bool:
        """Whether a fault of the kind strikes this call or may strike another; counts nothing."""
        struck: set[int] = getattr(self._call, "struck", None) or set()
        with self._lock:
            return any(
                matches(fault) and (fault.number in struck or not fault.over(self.clock()))
                for fault in self._of(name)
            )

    def _of(self, name: str) -> Iterator[Fault]:
        return (fault for fault in self._faults if fault.kind.name == name)

    def _strikes(self, fault: Fault) -> bool:
        return not fault.over(self.clock()) and fault.strikes()
