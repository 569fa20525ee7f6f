"""The least IAM policy of commands: which effects their source reaches, and what those declare. Asks AWS nothing."""

from __future__ import annotations

from collections.abc import Iterable

from fleet.assets.shipped import load_effects
from fleet.aws.effects import declared_actions
from fleet.plan.account.iam import Declared, least_policy


def policy_of(modules: Iterable[str]) -> dict[str, object]:
    """Give the policy for what the modules of these commands come to call. Raises UsageError where that is nothing."""
    return least_policy(effects_of(modules))


def effects_of(modules: Iterable[str]) -> tuple[Declared, ...]:
    """Give the IAM actions of every effect that the modules of these commands reach."""
    effects = load_effects()
    declared = declared_actions()
    return tuple(declared[name] for name in sorted({e for m in modules for e in effects[m]}))
