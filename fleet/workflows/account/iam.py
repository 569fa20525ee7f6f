"""The least IAM policy of commands: which effects their source reaches, and what those declare. Asks AWS nothing."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.assets.call_graph import reachable
from fleet.aws.effects import declared_actions
from fleet.plan.account.iam import Declared, least_policy


def policy_of(modules: Iterable[str]) -> dict[str, object]:
    """Give the policy for what these modules come to call. Raises UsageError where that is nothing."""
    return least_policy(effects_of(modules))


def effects_of(modules: Iterable[str]) -> tuple[Declared, ...]:
    """Give the IAM actions of every effect that these modules reach."""
    reached = reachable(modules)
    return tuple(a for name, a in declared_actions().items() if name in reached)
