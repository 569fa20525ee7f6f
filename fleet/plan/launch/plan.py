"""Plans a launch. Takes the spec and what was observed; gives the very Plan that is printed and then applied.

First it chooses, then it refuses what cannot be, then it writes down what will be. Pure: it touches no clock, disk,
network or environment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.access_path import access_path_of
from fleet.plan.environment.bootstrap import LaunchTexts, bootstrap_digest
from fleet.plan.environment.local_files import LocalFiles
from fleet.plan.environment.replacements import leaving_notes
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.hardware import Market
from fleet.plan.facts.launch import Observed, Owned
from fleet.plan.facts.network import IngressRule
from fleet.plan.hardware.cost import FleetCost
from fleet.plan.hardware.pools import (
    MARKETS,
    Pool,
    choose_pools,
    nothing_within_cap,
    one_architecture,
    placement_notes,
)
from fleet.plan.hardware.quotas import (
    QuotaReport,
    Wanted,
    check_quotas,
    quota_warnings,
    require_quota,
)
from fleet.plan.images.choice import ChosenImage, ImageCatalogue
from fleet.plan.images.of_fleet import choose_fleet_image
from fleet.plan.launch.cost import plan_cost, plan_price_notes
from fleet.plan.launch.instance_profile import profile_warnings, require_profile
from fleet.plan.launch.template import LaunchTemplate, launch_template, require_room
from fleet.plan.launch.warnings import plan_warnings
from fleet.plan.network.ingress import Caller, spec_ingress
from fleet.plan.network.subnets import Network, choose_network
from fleet.plan.record.members import Split, split_members
from fleet.spec.model import FleetSpec


@dataclass(frozen=True)
class Plan:
    """What `up` will do, decided. `cost` is the whole fleet's; `price_notes` say how old its prices are,
    `placement_notes` what has to be said of the Spot placement scores.
    """

    fleet: str
    spec: FleetSpec
    observed: Observed
    members: Split
    image: ChosenImage
    pools: tuple[Pool, ...]
    network: Network
    ingress: frozenset[IngressRule]
    template: LaunchTemplate
    expires_at: datetime | None
    bootstrap_id: str
    texts: LaunchTexts
    files: LocalFiles
    quotas: QuotaReport
    cost: FleetCost
    price_notes: tuple[str, ...]
    placement_notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def region(self) -> str:
        """The region that the fleet lives in."""
        return self.observed.region

    @property
    def account_id(self) -> str:
        """The account that pays."""
        return self.observed.identity.account_id

    @property
    def markets(self) -> tuple[Market, ...]:
        """The markets to buy in, in the order in which they are tried."""
        return MARKETS[self.spec.instances.market]

    @property
    def gpus(self) -> dict[str, int]:
        """How many GPUs each type of the spec has."""
        known = self.observed.instance_types
        return {name: known[name].gpus for name in self.spec.instances.types}

    @property
    def owned(self) -> Owned:
        """What is there of the fleet."""
        return self.observed.owned

    @property
    def vpc_id(self) -> str:
        """The VPC that the fleet lives in."""
        return self.network.vpc_id

    @property
    def hourly_usd(self) -> Decimal | None:
        """USD per hour of instances, volumes and addresses; None where a part is unknown."""
        return self.cost.hourly

    @property
    def hourly_usd_at_most(self) -> Decimal | None:
        """The same where every new instance comes from the dearest pool."""
        return self.cost.hourly_at_most

    @property
    def changes_nothing(self) -> bool:
        """Whether every member has a running instance already and no rule changes."""
        members, groups = self.members, self.owned.security_groups
        same_rules = bool(groups) and groups[0].ingress == self.ingress
        return same_rules and not (members.start or members.adopt or members.launch)

    def affordable(self, pool: Pool, market: Market) -> bool:
        """Whether a pool's price is within `instances.max_price`; Spot is capped by EC2 itself."""
        return pool.within(self.spec.instances.max_price, market)

    def price_of(self, instance: InstanceFact) -> Decimal | None:
        """USD per hour of an instance that was launched in one of the pools."""
        for pool in self.pools:
            if (pool.instance_type, pool.availability_zone) == (
                instance.instance_type,
                instance.availability_zone,
            ):
                return pool.price(instance.market)
        return None


@dataclass(frozen=True)
class _Choices:
    """What is chosen of what there is, before anybody has asked whether it may be."""

    members: Split
    image: ChosenImage
    pools: tuple[Pool, ...]
    network: Network
    ingress: frozenset[IngressRule]
    expires_at: datetime | None
    quotas: QuotaReport


def plan_launch(
    spec: FleetSpec,
    observed: Observed,
    *,
    now: datetime,
    texts: LaunchTexts,
    files: LocalFiles,
    catalogue: ImageCatalogue,
) -> Plan:
    """Decide everything that `up` will do. Raises FleetError where the spec cannot be met."""
    chosen = _choose(spec, observed, now=now, catalogue=catalogue)
    _refuse(spec, observed, chosen)
    return Plan(
        fleet=spec.name,
        spec=spec,
        observed=observed,
        members=chosen.members,
        image=chosen.image,
        pools=chosen.pools,
        network=chosen.network,
        ingress=chosen.ingress,
        expires_at=chosen.expires_at,
        quotas=chosen.quotas,
        template=launch_template(spec, chosen.image, texts, expires_at=chosen.expires_at),
        bootstrap_id=bootstrap_digest(texts.bootstrap, spec, chosen.image, files),
        texts=texts,
        files=files,
        cost=plan_cost(spec, chosen.members, chosen.pools, observed.prices),
        price_notes=plan_price_notes(spec, chosen.pools, observed.prices, now=now),
        placement_notes=placement_notes(spec.instances, observed.placement),
        warnings=_warnings(spec, observed, chosen),
    )


def plan_again(plan: Plan, owned: Owned, *, now: datetime, catalogue: ImageCatalogue) -> Plan:
    """Plan anew over what is there of the fleet by now. Raises FleetError where more would be launched."""
    if owned == plan.owned:
        return plan
    observed = replace(plan.observed, owned=owned)
    again = plan_launch(
        plan.spec, observed, now=now, texts=plan.texts, files=plan.files, catalogue=catalogue
    )
    more = len(again.members.launch) - len(plan.members.launch)
    if more > 0:
        raise FleetError(
            f"{plan.fleet} has lost {more} of its instances since the plan was made",
            remedy="run the command again, and look at the new plan",
        )
    return again


def _choose(
    spec: FleetSpec, observed: Observed, *, now: datetime, catalogue: ImageCatalogue
) -> _Choices:
    """Choose. Raises FleetError where there is nothing to choose from."""
    architecture = one_architecture(spec.instances, observed)
    network = choose_network(
        spec.access, observed.subnets, observed.owned, fleet=spec.name, region=observed.region
    )
    pools = choose_pools(spec.instances, network, observed)
    members = split_members(spec.members, observed.owned.instances)
    quotas = _count_quotas(spec, observed, members, pools)
    image = choose_fleet_image(
        spec.image,
        observed,
        catalogue,
        architecture=architecture,
        types=[observed.instance_types[name] for name in spec.instances.types],
        launching=bool(members.launch),
        now=now,
    )
    ingress = _ingress(spec, observed, now=now)
    expires_at = _expiry(spec, observed.owned, now=now)
    return _Choices(members, image, pools, network, ingress, expires_at, quotas)


def _refuse(spec: FleetSpec, observed: Observed, chosen: _Choices) -> None:
    """Raise FleetError where what is chosen may not be launched, or could not be paid."""
    require_room(spec.volume, chosen.image)
    require_profile(spec.instances.profile, observed.profile)
    _require_affordable(spec, chosen.pools)
    require_quota(chosen.quotas, count=len(chosen.members.launch))


def _require_affordable(spec: FleetSpec, pools: Sequence[Pool]) -> None:
    """Refuse a price cap that leaves nothing to launch in any market."""
    cap, markets = spec.instances.max_price, MARKETS[spec.instances.market]
    if not any(pool.within(cap, market) for pool in pools for market in markets):
        raise nothing_within_cap(
            spec.instances, {pool.instance_type: pool.on_demand_usd for pool in pools}
        )


def _warnings(spec: FleetSpec, observed: Observed, chosen: _Choices) -> tuple[str, ...]:
    pools, surplus = chosen.pools, chosen.members.surplus
    return (
        *chosen.image.warnings,
        *chosen.network.notes,
        *profile_warnings(spec, observed.profile),
        *leaving_notes(observed.owned.instances),
        *plan_warnings(spec, pools=pools, surplus=surplus, expires_at=chosen.expires_at),
        *quota_warnings(chosen.quotas),
    )


def _count_quotas(
    spec: FleetSpec, observed: Observed, members: Split, pools: Sequence[Pool]
) -> QuotaReport:
    """Count what is to start and to launch; what runs already is in use."""
    cap, markets = spec.instances.max_price, MARKETS[spec.instances.market]
    choices = ((p.instance_type, m) for m in markets for p in pools if p.within(cap, m))
    wanted = Wanted(tuple(dict.fromkeys(choices)), len(members.launch), members.started_choices)
    return check_quotas(wanted, observed.quotas, observed.instance_types)


def _expiry(spec: FleetSpec, owned: Owned, *, now: datetime) -> datetime | None:
    """Keep the expiry that the fleet was made with, so that a repeated launch is the same request."""
    if owned.launch_templates:
        text = owned.launch_templates[0].expires_at
        known = tags.parse_expiry(text)
        if known is None and text == tags.NEVER:
            return None
        if known is not None and known > now:
            return known
    if spec.expires is None:
        return None
    return (now + spec.expires).replace(microsecond=0)


def _ingress(spec: FleetSpec, observed: Observed, *, now: datetime) -> frozenset[IngressRule]:
    caller = Caller(observed.identity.arn, observed.caller_cidr, now)
    standing = [rule for group in observed.owned.security_groups for rule in group.ingress]
    return spec_ingress(
        spec.access.sources, caller, standing, ports=access_path_of(spec.access).ports
    )
