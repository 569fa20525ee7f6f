"""CreateFleet of type `instant`: overrides over pools, in the order of the allocation strategy,
with partial answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from moto.ec2.exceptions import EC2ClientError

from fleet.sandbox.cloud.ec2 import catalog
from fleet.sandbox.cloud.ec2.faults import no_capacity

if TYPE_CHECKING:
    from fleet.sandbox.cloud.capacity import Market
    from fleet.sandbox.cloud.ec2.launch import Checked, Launcher
    from fleet.sandbox.cloud.ec2.spec import Data, LaunchSpec

ON_DEMAND_STRATEGIES = ("lowest-price", "prioritized")
SPOT_STRATEGIES = (
    "lowest-price", "diversified", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized",
)  # fmt: skip


@dataclass
class FleetRecord:
    """One fleet as DescribeFleets shows it."""

    fleet_id: str
    request: Data
    created: datetime
    instance_ids: list[str] = field(default_factory=list)
    state: str = "active"
    launched: list[Data] = field(default_factory=list)
    errors: list[Data] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """One override: the spec that it gives, and how the answer names it. Priority: the lowest
    number first.
    """

    spec: LaunchSpec
    answer: Data
    priority: float
    weight: float


@dataclass(frozen=True)
class Pool:
    """A candidate that may be tried: checked, with its subnet."""

    candidate: Candidate
    checked: Checked
    subnet: Any

    @property
    def zone(self) -> str:
        """The pool's Availability Zone."""
        zone: str = self.subnet.availability_zone
        return zone


@dataclass(frozen=True)
class Share:
    """What is wanted of one market."""

    market: Market
    capacity: float
    strategy: str
    options: Data


class InstantFleet:
    """Fills one fleet request. `launched` and `errors` are the two halves of the answer."""

    def __init__(self, launcher: Launcher, candidates: list[Candidate], fleet_id: str) -> None:
        self._launcher = launcher
        self._candidates = candidates
        self._fleet_id = fleet_id
        self._most = launcher.most_of_a_fleet()
        self.launched: list[Data] = []
        self.errors: list[Data] = []

    def fill(self, share: Share) -> None:
        """Launch what the share asks for, as far as pools allow."""
        if share.capacity <= 0:
            return
        pools = self._ordered(self._pools(share.market), share)
        for group in self._groups(pools, share.options):
            most = self._most
            plan = self._plan(group, share)
            got = sum(count * pool.candidate.weight for pool, count in plan)
            if got < float(share.options.get("MinTargetCapacity") or 0):
                self._most = most
                continue
            for pool, count in plan:
                self._launch(pool, count)
            return

    def _pools(self, market: Market) -> list[Pool]:
        pools = []
        for candidate in self._candidates:
            price = candidate.spec.max_price if market == "spot" else None
            spec = replace(candidate.spec, market=market, max_price=price, fleet_id=self._fleet_id)
            own = replace(candidate, spec=spec)
            try:
                checked = self._launcher.check(spec, fleet=True)
                subnets = self._launcher.candidate_subnets(spec, fleet=True)
            except EC2ClientError as fault:
                self._refused(own, fault)
                continue
            pools += [Pool(own, checked, subnet) for subnet in subnets]
        return pools

    def _ordered(self, pools: list[Pool], share: Share) -> list[Pool]:
        """The pools in the order in which the strategy tries them; equal ones in the order of the
        request.
        """
        if share.strategy in {"prioritized", "capacity-optimized-prioritized"}:
            return sorted(pools, key=lambda pool: pool.candidate.priority)
        if share.strategy == "capacity-optimized":
            return sorted(pools, key=lambda pool: (-self._room(pool), self._price(pool)))
        if share.strategy == "price-capacity-optimized":
            return sorted(
                pools,
                key=lambda pool: (self._room(pool) < self._wanted(pool, share), self._price(pool)),
            )
        return sorted(pools, key=self._price)

    def _room(self, pool: Pool) -> int:
        return self._launcher.room(pool.candidate.spec, pool.zone).instances

    @staticmethod
    def _wanted(pool: Pool, share: Share) -> int:
        return math.ceil(share.capacity / pool.candidate.weight)

    def _price(self, pool: Pool) -> float:
        spec = pool.candidate.spec
        if spec.market == "spot":
            price = self._launcher.spot_price(spec.instance_type, pool.zone)
        else:
            price = catalog.on_demand_price(spec.instance_type)
        return math.inf if price is None else price / pool.candidate.weight

    @staticmethod
    def _groups(pools: list[Pool], options: Data) -> list[list[Pool]]:
        """The sets of pools of which one must hold the whole fleet: by zone, by type, or all
        together.
        """
        if not (options.get("SingleAvailabilityZone") or options.get("SingleInstanceType")):
            return [pools]
        groups: dict[tuple[str, str], list[Pool]] = {}
        for pool in pools:
            zone = pool.zone if options.get("SingleAvailabilityZone") else ""
            name = pool.candidate.spec.instance_type if options.get("SingleInstanceType") else ""
            groups.setdefault((zone, name), []).append(pool)
        return list(groups.values())

    def _plan(self, pools: list[Pool], share: Share) -> list[tuple[Pool, int]]:
        """How many instances each pool gives; every pool that gave less than was asked of it is
        named in the errors.
        """
        if share.strategy == "diversified":
            return self._plan_diversified(pools, share)
        plan: list[tuple[Pool, int]] = []
        left = share.capacity
        taken: dict[str, int] = {}
        for pool in pools:
            if left <= 0:
                break
            room = self._launcher.room(pool.candidate.spec, pool.zone)
            wanted = math.ceil(left / pool.candidate.weight)
            free = min(wanted, self._free(pool, room.instances, taken))
            count = self._allowed(free)
            if count:
                plan.append((pool, count))
                self._take(pool, count, taken)
                left -= count * pool.candidate.weight
            if count < wanted:
                fault = room.fault if count == free else self._held_back(pool)
                self._refused(pool.candidate, fault, zone=pool.zone)
        return plan

    def _plan_diversified(self, pools: list[Pool], share: Share) -> list[tuple[Pool, int]]:
        counts = [0] * len(pools)
        taken: dict[str, int] = {}
        left = share.capacity
        while left > 0:
            before = left
            for index, pool in enumerate(pools):
                free = self._free(pool, self._room(pool) - counts[index], taken)
                if left > 0 and free > 0 and self._allowed(1):
                    counts[index] += 1
                    self._take(pool, 1, taken)
                    left -= pool.candidate.weight
            if left == before:
                for pool in pools:
                    room = self._launcher.room(pool.candidate.spec, pool.zone)
                    self._refused(pool.candidate, room.fault, zone=pool.zone)
                break
        return [(pool, count) for pool, count in zip(pools, counts, strict=True) if count]

    def _allowed(self, count: int) -> int:
        """As many of `count` as a fault lets come of this request."""
        if self._most is None:
            return count
        count = min(count, self._most)
        self._most -= count
        return count

    @staticmethod
    def _held_back(pool: Pool) -> EC2ClientError:
        spec = pool.candidate.spec
        return no_capacity(spec.instance_type, pool.zone, [], spot=spec.market == "spot")

    def _free(self, pool: Pool, room: int, taken: dict[str, int]) -> int:
        """Room that is left after what this plan takes of the same quota in other pools."""
        spec = pool.candidate.spec
        code = catalog.quota_code(spec.instance_type, spot=spec.market == "spot")
        each = catalog.vcpus(spec.instance_type)
        quota = self._launcher.quota_room(spec.instance_type, spot=spec.market == "spot")
        by_quota = (quota - taken.get(code, 0)) // each
        return max(min(room, by_quota), 0)

    @staticmethod
    def _take(pool: Pool, count: int, taken: dict[str, int]) -> None:
        spec = pool.candidate.spec
        code = catalog.quota_code(spec.instance_type, spot=spec.market == "spot")
        taken[code] = taken.get(code, 0) + count * catalog.vcpus(spec.instance_type)

    def _launch(self, pool: Pool, count: int) -> None:
        spec = pool.candidate.spec
        try:
            reservation = self._launcher.launch(pool.checked, pool.subnet, count)
        except EC2ClientError as fault:
            self._refused(pool.candidate, fault, zone=pool.zone)
            return
        self.launched.append(
            {
                "LaunchTemplateAndOverrides": _named(pool.candidate.answer, pool.zone),
                "Lifecycle": spec.market,
                "InstanceIds": [instance.id for instance in reservation.instances],
                "InstanceType": spec.instance_type,
            }
        )

    def _refused(
        self, candidate: Candidate, fault: EC2ClientError, *, zone: str | None = None
    ) -> None:
        self.errors.append(
            {
                "LaunchTemplateAndOverrides": _named(candidate.answer, zone),
                "Lifecycle": candidate.spec.market,
                "ErrorCode": fault.code,
                "ErrorMessage": fault.message,
            }
        )


def _named(answer: Data, zone: str | None) -> Data:
    """The override as the answer names it, with the zone that its subnet lies in."""
    overrides = dict(answer["Overrides"])
    if zone is not None:
        overrides["AvailabilityZone"] = zone
    return {**answer, "Overrides": overrides}
