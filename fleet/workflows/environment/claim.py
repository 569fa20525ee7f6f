"""Gives an instance to a member, by tags: in the same call as its host key where the host answers soon.

EC2 takes 100 CreateTags at once and 10 a second after that, so with a thousand hosts each call counts. A host's tags
are put in two calls, because of what must hold when a run fails or is killed:

- The member's tags are there before the bootstrap starts, and also when the host is never reached. They wait for a
  host that still boots, but only for a short while. A run that is killed during that while leaves an instance without
  a member on which nothing was done: the next `up` adopts it, as it does after a kill right after the launch.
- The host key is there as soon as it is verified: `fleet logs` and `fleet ssh` need it to reach a host whose bootstrap
  hangs, fails or is killed. So it can share a call with the member's tags, but not with the following.
- The bootstrap's digest and its proof are known last.
"""

from __future__ import annotations

from collections.abc import Mapping

from fleet.plan.facts.environment import InstanceFact
from fleet.workflows.context import Context
from fleet.workflows.record.tagging import put_tags

_SOON_SECONDS = 30.0
"""So long `fleet status` may show a running instance as nobody's."""


class Claim:
    """The tags that make an instance a member's, to be put on it once. For one thread."""

    def __init__(self, context: Context, instance: InstanceFact, tags: Mapping[str, str]) -> None:
        self._context = context
        self._instance = instance
        self._tags = dict(tags)
        self._latest = context.clock() + _SOON_SECONDS

    def put(self, more: Mapping[str, str] | None = None) -> None:
        """Put them on unless that was done before, and `more` in the same call. Raises AwsError."""
        tags, self._tags = {**self._tags, **(more or {})}, {}
        if tags:
            put_tags(self._context, self._instance, tags)

    def sleep(self, seconds: float) -> None:
        """Sleep before a host that still boots is tried again; put the tags on first where it boots too long."""
        if self._context.clock() >= self._latest:
            self.put()
        self._context.sleep(seconds)
