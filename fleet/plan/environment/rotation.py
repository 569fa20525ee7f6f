"""Decides about rotations: which generation the tokens get, and whose hosts have to be told. Pure.

A rotation raises the generation in the instances' tags first and changes the hosts after that. An instance whose host
has another token than its tag says is where an earlier rotation broke off: the next one goes on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.generations import Generations


def generation_of(instance: InstanceFact) -> int:
    """Give the generation that an instance's tag states."""
    return _number(instance.tags.get(tags.TOKEN_GENERATION))


def token_on_host(instance: InstanceFact) -> int:
    """Give the generation of the token that the instance's host was told last."""
    told = instance.tags.get(tags.TOKEN_ON_HOST)
    return generation_of(instance) if told is None else _number(told)


def rotating(instance: InstanceFact) -> bool:
    """Whether a rotation broke off before the instance's host was told."""
    return token_on_host(instance) != generation_of(instance)


@dataclass(frozen=True)
class Rotation:
    """What a rotation does: the generation that the tokens get, and whose hosts it is yet to be told."""

    generation: int
    ahead: tuple[InstanceFact, ...]
    resumed: bool


def plan_rotation(instances: Sequence[InstanceFact], *, known: Generations) -> Rotation:
    """Plan a rotation of all that are given, or the rest of one that broke off among them."""
    broken_off = [generation_of(one) for one in instances if rotating(one)]
    floors = [known.of(one.member) for one in instances if one.member]
    generation = max(broken_off or [1 + max([*map(generation_of, instances), *floors], default=0)])
    ahead = tuple(one for one in instances if rotating(one) or generation_of(one) < generation)
    return Rotation(generation, ahead, bool(broken_off))


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else 1
