"""One at work on a fleet at a time: a lease in Parameter Store for colleagues, a file lock for this machine.

A lease whose holder is gone is broken, with the reason told; what it had sent and not heard of is sent again
with the same ClientToken by whoever breaks it, so that nothing is bought twice.
"""

from __future__ import annotations

import getpass
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from fleet.assets.lock import LocalLock, machine_name
from fleet.aws.leases import create_lease, delete_leases, read_leases, write_lease
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.record.lease import RENEW_EVERY, Lease, as_text, from_text, reason_to_break
from fleet.workflows.context import Context

_LOOK_SECONDS = 0.5
_UNSEEN = timedelta(hours=1)
"""After that EC2 shows whatever a request brought, and a ClientToken may be forgotten: no sending again."""


class HeldLease:
    """A lease that this run holds, until it is found `lost` to somebody who took over.

    `inherited` are requests that a broken lease's holder had sent, unanswered. `broke_one`: there was such a holder.
    """

    def __init__(
        self, context: Context, fleet: str, number: int, lease: Lease, inherited: tuple[str, ...]
    ) -> None:
        self.inherited = inherited
        self.broke_one = number > 1
        self.lost = False
        self._context = context
        self._fleet = fleet
        self._number = number
        self._lease = lease
        self._lock = threading.Lock()
        self._released = False

    @property
    def run(self) -> str:
        """What tells this run from every other one."""
        return self._lease.run

    @property
    def unanswered(self) -> bool:
        """Whether something was sent that may have taken effect unheard."""
        with self._lock:
            return bool(self._lease.pending)

    def note_pending(self, request: str) -> None:
        """Write down what is about to be sent. Raises FleetError where somebody has taken over."""
        self._write(pending=request)

    def note_answered(self) -> None:
        """Forget what was sent; it is written with the next thing, for to send it again would do no harm."""
        with self._lock:
            self._lease = replace(self._lease, pending="")

    def renew(self) -> None:
        """Say that this run is still at work."""
        self._write(pending=None)

    def regain(self) -> bool:
        """Whether this run holds the fleet; once a `down` that took over has ended, it does again.

        False where another run is at work, for what stands is that one's now.
        """
        deadline = self._context.clock() + self._context.deadlines.terminated
        while True:
            found, current = self._current()
            if current is not None and current.run == self.run:
                return True
            if not found:
                return self._make_anew()
            if current is None or current.command != "down" or self._context.clock() >= deadline:
                return False
            self._context.sleep(_LOOK_SECONDS)

    def release(self) -> None:
        """End the lease, and all that were broken; one with something unanswered stays for the next run.

        Numbers begin anew when all are gone: after a `down` that took over, ours may be somebody else's.
        """
        with self._lock:
            self._released = True
            _, current = self._current()
            if not self._lease.pending and current is not None and current.run == self.run:
                numbers = range(1, self._number + 1)
                delete_leases(self._context.aws, fleet=self._fleet, numbers=numbers)

    def _write(self, *, pending: str | None) -> None:
        with self._lock:
            if self._released:
                return  # a renewal that comes late would make it anew
            self._require_own()
            kept = self._lease.pending if pending is None else pending
            self._lease = replace(self._lease, pending=kept, renewed_at=self._context.now())
            text = as_text(self._lease)
            write_lease(self._context.aws, fleet=self._fleet, number=self._number, text=text)

    def _current(self) -> tuple[dict[int, str], Lease | None]:
        """Read all leases, and the one that holds."""
        found = read_leases(self._context.aws, fleet=self._fleet)
        return found, from_text(found.get(max(found, default=0), ""))

    def _make_anew(self) -> bool:
        with self._lock:
            now, owned = self._context.now(), tags.fleet_tags(self._fleet)
            lease = replace(self._lease, taken_at=now, renewed_at=now, pending="")
            text = as_text(lease)
            made = create_lease(
                self._context.aws, fleet=self._fleet, number=1, text=text, tags=owned
            )
            if made:
                self._lease, self._number, self.lost = lease, 1, False
                said = "a `fleet down` had taken over, and has ended: the lease is taken again"
                self._context.tell(None, "lease", "note", said)
            return made

    def _require_own(self) -> None:
        _, current = self._current()
        if current is None or current.run != self.run:
            self.lost = True
            by = current.said if current else f"`fleet down {self._fleet}`"
            raise FleetError(
                f"{self._fleet} was taken over by {by}: nothing more is launched",
                remedy="wait for that to end, then run `fleet up` again",
            )


@contextmanager
def hold_lease(
    context: Context, fleet: str, *, account_id: str, command: str, take_over: bool = False
) -> Iterator[HeldLease]:
    """Hold the lease on a fleet, waiting for whoever has it, up to the deadline.

    With `take_over` nobody is waited for: the other run launches nothing more.
    """
    root = context.settings.cache_root
    lock = LocalLock(root / "locks" / f"{account_id}-{context.aws.region}-{fleet}")
    asking = _Asking(context, fleet, command, take_over, context.clock() + context.deadlines.lease)
    try:
        asking.wait_for_lock(lock)
        machine = machine_name(root)
    except OSError as error:
        raise FleetError(
            f"{root} cannot be written ({error.strerror})",
            remedy="set FLEET_CACHE_DIR to a folder of yours",
        ) from error
    try:
        held = asking.take(machine)
        try:
            with _renewing(held):
                yield held
        finally:
            held.release()
    finally:
        lock.release()


@dataclass(frozen=True)
class _Asking:
    """Somebody who wants the lease."""

    context: Context
    fleet: str
    command: str
    take_over: bool
    deadline: float

    def wait_for_lock(self, lock: LocalLock) -> None:
        """Wait for other processes of this machine."""
        told = False
        while not lock.acquire() and not self.take_over:
            if not told:
                self._tell_waiting("another `fleet` process on this machine is at work on it")
            told = True
            self._wait("another `fleet` process on this machine")

    def take(self, machine: str) -> HeldLease:
        """Take the lease: at once where there is none or its holder is gone, else when it is given back."""
        told = ""
        while True:
            found = read_leases(self.context.aws, fleet=self.fleet)
            top = max(found, default=0)
            current = from_text(found.get(top, ""))
            reason = self._reason(top, current, machine)
            if reason is None:
                said = current.said if current else ""
                if said != told:
                    self._tell_waiting(said)
                told = said
                self._wait(said)
            elif held := self._make(top, found, machine):
                if reason:
                    who = f" of {current.said}" if current else ""
                    self.context.tell(None, "lease", "note", f"the lease{who} is broken: {reason}")
                return held
            else:
                self._wait("others who ask at the same time")

    def _reason(self, top: int, current: Lease | None, machine: str) -> str | None:
        """Why the lease may be taken: "" where there is none; None where its holder may be at work."""
        if top == 0:
            return ""
        if self.take_over:
            return f"`fleet {self.command}` takes over"
        return reason_to_break(current, machine=machine, now=self.context.now()) or None

    def _make(self, top: int, found: Mapping[int, str], machine: str) -> HeldLease | None:
        """Make the next lease; None where somebody else was quicker."""
        aws, fleet, number = self.context.aws, self.fleet, top + 1
        lease, owned = self._lease(machine), tags.fleet_tags(self.fleet)
        if not create_lease(aws, fleet=fleet, number=number, text=as_text(lease), tags=owned):
            return None
        if found:  # what was broken must be what was seen; a lease on nothing is seen again before each launch
            after = read_leases(aws, fleet=fleet)
            if {**after, number: ""} != {**found, number: ""}:
                delete_leases(aws, fleet=fleet, numbers=[number])
                return None
        return HeldLease(self.context, fleet, number, lease, self._inherited(found))

    def _inherited(self, found: Mapping[int, str]) -> tuple[str, ...]:
        broken = (from_text(text) for text in found.values())
        oldest = self.context.now() - _UNSEEN
        return tuple(
            one.pending for one in broken if one and one.pending and one.renewed_at > oldest
        )

    def _lease(self, machine: str) -> Lease:
        now = self.context.now()
        holder = f"{_user()}@{socket.gethostname()}"
        return Lease(holder, machine, secrets.token_hex(8), self.command, now, now)

    def _tell_waiting(self, said: str) -> None:
        self.context.tell(None, "lease", "running", f"waiting for {said}")

    def _wait(self, said: str) -> None:
        if self.context.clock() >= self.deadline:
            raise FleetError(
                f"{self.fleet} is still held by {said}",
                remedy=f"wait for it, or `fleet down {self.fleet}`, which takes over",
            )
        self.context.sleep(_LOOK_SECONDS)


@contextmanager
def _renewing(held: HeldLease) -> Iterator[None]:
    """Renew in the background. One that fails is made up for by the next: it goes stale after five."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(RENEW_EVERY.total_seconds()):
            with suppress(FleetError):
                held.renew()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the password database, and no variable that says
        return "somebody"
