"""Decides what to ask EC2 for next while a launch falls short: pools, then types, then markets. Pure.

A `Purchase` is told each answer and gives the next request, until everybody has an instance or
nothing is left to try. It waits for nothing and sends nothing itself.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from fleet.errors import AwsError, FleetError
from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.pools import Pool
from fleet.plan.hardware.quota_codes import family_of
from fleet.plan.reactions import (
    FULL,
    Kind,
    Reaction,
    reaction_of_pool,
    zones_with_capacity,
)

MOST_AGAIN = 4
"""How often in a row an answer may say no more than that AWS did not get to it."""
_PASSING: frozenset[Kind] = frozenset({"again", "unsure", "settling", "token"})


@dataclass(frozen=True)
class Refusal:
    """Why EC2 launched nothing (more) in a pool; type and zone are empty where it named none."""

    code: str
    message: str
    instance_type: str = ""
    availability_zone: str = ""

    def __str__(self) -> str:
        where = " in ".join(part for part in (self.instance_type, self.availability_zone) if part)
        return f"{where or 'launch'}: {self.code}: {self.message}"

    @classmethod
    def of(cls, error: AwsError) -> Refusal:
        """Make an error into a refusal of all that was asked for."""
        return cls(error.code, error.said or error.message)

    @property
    def reaction(self) -> Reaction:
        """What to do about it."""
        return reaction_of_pool(self.code, self.message)

    @property
    def whole(self) -> bool:
        """Whether it is the answer to the request as a whole, which was sent as often as that helps."""
        return not (self.instance_type or self.availability_zone)

    @property
    def quota(self) -> str:
        """Which vCPU quota refuses, as far as the type tells it: " (quota L-DB2E81BA of G and VT)"."""
        family, market = family_of(self.instance_type), self.reaction.quota_of
        if family is None or market is None:
            return ""
        return f" (quota {' or '.join(family.codes(market))} of {family.name})"

    def names(self, pool: Pool) -> bool:
        """Whether the refusal is of this pool; one that names no type or zone is of every pool."""
        return self.instance_type in {"", pool.instance_type} and (
            self.availability_zone in {"", pool.availability_zone}
        )


@dataclass(frozen=True)
class Ask:
    """What to ask for next: so many instances from these pools, in the order of preference."""

    market: Market
    pools: tuple[Pool, ...]
    count: int


class Purchase:
    """The state of one launch.

    `missing` counts down. `stopped` is a refusal that no other pool helps against. `pause` says that
    the next request is the last one again, which deserves a moment's wait.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        markets: Sequence[Market],
        count: int,
        *,
        affordable: Callable[[Pool, Market], bool],
    ) -> None:
        self.missing = count
        self.stopped: Refusal | None = None
        self.pause = False
        self._open = {market: [p for p in pools if affordable(p, market)] for market in markets}
        self._full: dict[Market, list[Pool]] = {market: [] for market in markets}
        self._hinted: set[tuple[Market, str, str]] = set()
        self._again = 0

    @property
    def may_come(self) -> bool:
        """Whether somebody is missing and pools that had no capacity may have some later."""
        return self.missing > 0 and self.stopped is None and any(self._full.values())

    def ask(self) -> Ask | None:
        """Give the next request, None where nobody is missing or nothing is left to try."""
        if self.missing > 0 and self.stopped is None:
            for market, pools in self._open.items():
                if pools:
                    return Ask(market, tuple(pools), self.missing)
        return None

    def take(self, ask: Ask, launched: int, refusals: Iterable[Refusal]) -> None:
        """Take EC2's answer. Each one that falls short changes what is open, so that asking ends."""
        self.missing = max(self.missing - launched, 0)
        self.pause = False
        if launched >= ask.count:
            return
        known, before = tuple(refusals), list(self._open[ask.market])
        for refusal in known:
            self._react(ask.market, refusal)
        for refusal in known:
            self._reopen_hinted(ask.market, refusal)
        if self._open[ask.market] == before and self.stopped is None:
            self._nothing_changed(ask.market, known)

    def try_full_ones(self) -> None:
        """Try again what had no capacity."""
        for market, pools in self._full.items():
            self._open[market] = sorted([*self._open[market], *pools], key=lambda p: p.priority)
            pools.clear()

    def _react(self, market: Market, refusal: Refusal) -> None:
        kind = refusal.reaction.kind
        named = [pool for pool in self._open[market] if refusal.names(pool)]
        if kind == "stop" or (refusal.whole and kind in {"unsure", "settling"}):
            self.stopped = refusal
        elif refusal.whole and kind == "again":
            for other in self._open:  # that is no reason to go on to a dearer market
                self._hold_full(other, self._open[other])
        elif kind == "full":
            self._hold_full(market, named)
        elif kind == "subnet":
            self._move(market, {pool.availability_zone for pool in named})
        elif kind == "quota":
            families = {family_of(pool.instance_type) for pool in named}
            same = [p for p in self._open[market] if family_of(p.instance_type) in families]
            self._close(market, same)
        elif kind not in _PASSING:
            self._close(market, named)

    def _nothing_changed(self, market: Market, refusals: Sequence[Refusal]) -> None:
        """Send it once more where that is the reaction; else hold every pool to be full."""
        passing = any(refusal.reaction.kind in _PASSING for refusal in refusals)
        if passing and self._again < MOST_AGAIN:
            self._again += 1
            self.pause = True
            return
        self._hold_full(market, self._open[market])

    def _hold_full(self, market: Market, pools: Sequence[Pool]) -> None:
        self._full[market] += pools
        self._close(market, pools)

    def _close(self, market: Market, pools: Sequence[Pool]) -> None:
        self._open[market] = [pool for pool in self._open[market] if pool not in pools]

    def _move(self, market: Market, zones: Collection[str]) -> None:
        """Go on to the next subnet of zones without free addresses, all pools of a zone together.

        A CreateFleet request may not span two subnets of one zone (EC2 user guide, fleet quotas).
        """
        self._open[market] = [
            moved
            for pool in self._open[market]
            if (moved := _in_next_subnet(pool) if pool.availability_zone in zones else pool)
        ]

    def _reopen_hinted(self, market: Market, refusal: Refusal) -> None:
        """Try a pool once more where EC2 itself says that it has capacity."""
        zones = zones_with_capacity(refusal.message)
        for pool in [p for p in self._full[market] if p.instance_type == refusal.instance_type]:
            key = (market, pool.instance_type, pool.availability_zone)
            if pool.availability_zone in zones and key not in self._hinted:
                self._hinted.add(key)
                self._full[market].remove(pool)
                self._open[market].append(pool)


def _in_next_subnet(pool: Pool) -> Pool | None:
    if not pool.spare_subnets:
        return None
    subnet, *rest = pool.spare_subnets
    return replace(pool, subnet_id=subnet, spare_subnets=tuple(rest))


def nothing_came(purchase: Purchase, refusals: Sequence[Refusal]) -> FleetError:
    """Give the error of a launch that brought nothing: the refusal that stopped it, or what each pool answered."""
    if purchase.stopped:
        return _error(purchase.stopped.reaction, str(purchase.stopped), (purchase.stopped,))
    said = "; ".join(_where_and_why(group) for group in _groups(refusals)) or "EC2 gave no reason"
    kinds = {refusal.reaction.kind for refusal in refusals}
    reaction = (
        refusals[0].reaction if len(kinds) == 1 else FULL
    )  # of several reasons: waiting may help
    return _error(reaction, f"EC2 launched none of {purchase.missing}: {said}", refusals)


def _error(reaction: Reaction, message: str, refusals: Sequence[Refusal]) -> AwsError:
    codes = {refusal.code for refusal in refusals}
    code = codes.pop() if len(codes) == 1 else ""
    return reaction.error(message, remedy=reaction.remedy, code=code)


def summarise(refusals: Iterable[Refusal]) -> list[str]:
    """Say each refusal once, zones together: "g5.xlarge in a, b: CODE: message; the next pool is tried"."""
    return [f"{_where_and_why(group)}; {group[0].reaction.then}" for group in _groups(refusals)]


def _groups(refusals: Iterable[Refusal]) -> list[list[Refusal]]:
    groups: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        groups.setdefault((refusal.instance_type, refusal.code), []).append(refusal)
    return list(groups.values())


def _where_and_why(group: Sequence[Refusal]) -> str:
    first = group[0]
    zones = ", ".join(sorted({r.availability_zone for r in group} - {""}))
    where = " in ".join(part for part in (first.instance_type, zones) if part) or "launch"
    return f"{where}: {first.code}: {first.message}{first.quota}"
