"""Terminates instances in few calls and waits until EC2 says `terminated` of each: nothing else counts as gone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from fleet.aws.instances import terminate_instances
from fleet.errors import AwsError, CredentialsError, EndpointError
from fleet.plan.teardown.leftovers import PROTECTED
from fleet.plan.teardown.plan import terminate_batches
from fleet.plan.teardown.resources import Resource
from fleet.workflows.teardown.release_attempts import ReleaseAttempts, pauses

GRACE_SECONDS = 60.0
"""So long an instance that EC2 does not show is "not visible", which is not "gone"."""

_UNKNOWN = "InvalidInstanceID.NotFound"
_ONE_SPOILS_ALL = frozenset({PROTECTED, _UNKNOWN})
"""Refusals of a whole call for the sake of one instance in it."""


class Termination:
    """The instances of one release. `look` describes them; with `newcomers`, others of the fleet that appear go too."""

    def __init__(
        self,
        attempts: ReleaseAttempts,
        instances: Sequence[Resource],
        *,
        look: Callable[[], tuple[Resource, ...]],
        newcomers: bool,
    ) -> None:
        self._attempts = attempts
        self._context = attempts.context
        self._look = look
        self._newcomers = newcomers
        self._waiting = {one.resource_id: one for one in instances}
        self._given = frozenset(self._waiting)
        self._known = dict(self._waiting)
        self._ask_again: set[str] = set()
        self._turn = threading.Lock()
        self._seen_at = dict.fromkeys(self._waiting, self._context.clock())
        self.ended: set[str] = set()

    def ends(self, instance_id: str) -> bool:
        """Whether an instance has ended or is on its way, by our doing."""
        return instance_id in self._waiting or instance_id in self.ended

    def stays(self, instance_id: str) -> bool:
        """Whether an instance stays for good: refused, or, where nobody else may appear, not ours to end."""
        refused = ("instances", instance_id) in self._attempts.refused
        return refused or not (self._newcomers or self.ends(instance_id))

    @property
    def appeared(self) -> tuple[Resource, ...]:
        """Instances that were not given, but became visible meanwhile."""
        return tuple(one for i, one in self._known.items() if i not in self._given)

    def begin(self) -> None:
        """Terminate what lives; what is on its way already is only waited for."""
        self._terminate([one.resource_id for one in self._waiting.values() if one.live])

    def wait(self) -> None:
        """Wait until all have ended; past the deadline the rest is written down."""
        if not self._waiting:
            return
        began, told = self._context.clock(), -1
        for pause in pauses(self._context):
            self.look_again()
            if not self._waiting:
                break
            late = self._context.clock() - began
            if late >= self._context.deadlines.terminated:
                self._give_up(late)
                break
            if len(self._waiting) != told:
                told = len(self._waiting)
                self._context.tell(None, "terminate", "running", f"{told} to go")
            self._context.sleep(pause)
        self._context.tell(None, "terminate", "done", f"{len(self.ended)} ended")

    def look_again(self) -> None:
        """See who has ended and who has appeared, and terminate the latter. Safe from several threads."""
        with self._turn:
            self._look_again()

    def _look_again(self) -> None:
        now = self._context.clock()
        seen = {one.resource_id: one for one in self._look()}
        again = []
        for instance_id in list(self._waiting):
            one = seen.get(instance_id)
            if one is None and now - self._seen_at[instance_id] < GRACE_SECONDS:
                continue
            if one is None or one.ended:
                self._waiting.pop(instance_id)
                self.ended.add(instance_id)
                continue
            self._seen_at[instance_id] = now
            if instance_id in self._ask_again and one.live:
                again.append(instance_id)
        self._terminate([*again, *(self._welcome(seen, now) if self._newcomers else ())])

    def _welcome(self, seen: dict[str, Resource], now: float) -> list[str]:
        """Take in instances that were launched, but not visible, when we looked first."""
        others = (r for i, r in seen.items() if i not in self._known and r.ours and r.live)
        fresh = [r for r in others if r.key not in self._attempts.refused]
        for one in fresh:
            self._context.tell(None, "terminate", "note", f"{one.resource_id} has appeared")
            self._known[one.resource_id] = self._waiting[one.resource_id] = one
            self._seen_at[one.resource_id] = now
        return [one.resource_id for one in fresh]

    def _terminate(self, instance_ids: Sequence[str]) -> None:
        self._ask_again.difference_update(instance_ids)
        for wait, batch in terminate_batches(instance_ids):
            if wait:
                self._context.sleep(wait)
            self._context.tell(None, "terminate", "running", f"asked for {len(batch)}")
            self._terminate_batch(batch)

    def _terminate_batch(self, batch: Sequence[str]) -> None:
        """Terminate; where one instance spoils the call, halve until it is alone."""
        try:
            terminate_instances(self._context.aws, instance_ids=batch)
        except (CredentialsError, EndpointError):
            raise
        except AwsError as error:
            if error.code in _ONE_SPOILS_ALL and len(batch) > 1:
                middle = len(batch) // 2
                self._terminate_batch(batch[:middle])
                self._terminate_batch(batch[middle:])
            elif error.code == _UNKNOWN:
                self._ask_again.update(batch)
            else:
                for instance_id in batch:
                    one = self._waiting.pop(instance_id)
                    self._attempts.refuse(one, _reason(error), code=error.code)

    def _give_up(self, late: float) -> None:
        for one in self._waiting.values():
            self._attempts.refuse(one, f"not terminated after {late:.0f} s")
        self._waiting.clear()


def _reason(error: AwsError) -> str:
    return "termination protection is on" if error.code == PROTECTED else error.message
