"""Plans a launch. Takes the spec and what was observed; gives the very Plan that is printed and then applied.

Pure: it touches no clock, disk, network or environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.access_path import access_path_of
from fleet.plan.environment.bootstrap import Texts, bootstrap_digest, render_first_boot
from fleet.plan.environment.local_files import LocalFiles
from fleet.plan.environment.replacements import leaving_notes
from fleet.plan.facts import IngressRule, InstanceFact, Market, Observed, Owned, Prices
from fleet.plan.hardware.cost import FleetCost, fleet_cost
from fleet.plan.hardware.pools import (
    MARKETS,
    Pool,
    choose_pools,
    nothing_within_cap,
    one_architecture,
    placement_notes,
)
from fleet.plan.hardware.prices import instance_figure, price_notes, unknown_notes, volume_figures
from fleet.plan.hardware.quotas import (
    QuotaReport,
    Wanted,
    check_quotas,
    quota_warnings,
    require_quota,
)
from fleet.plan.images.choice import ChosenImage, ImageCatalogue
from fleet.plan.images.of_fleet import choose_fleet_image
from fleet.plan.launch.instance_profile import profile_warnings, require_profile
from fleet.plan.launch.warnings import plan_warnings
from fleet.plan.money import total
from fleet.plan.network.ingress import Caller, spec_ingress
from fleet.plan.network.subnets import Network, choose_network
from fleet.plan.record.tokens import digest
from fleet.spec.model import FleetSpec, Member, Volume


@dataclass(frozen=True)
class Assignment:
    """A member and the instance that is the member's."""

    member: Member
    instance: InstanceFact


@dataclass(frozen=True)
class LaunchTemplate:
    """What an instance is launched with, apart from type, zone and security group.

    `public` says whether it gets a public address, whatever its subnet's own setting is; `profile` is
    the name or ARN of an instance profile.
    """

    name: str
    image_id: str
    root_device: str
    volume: Volume
    key_name: str
    user_data: str
    instance_tags: tuple[tuple[str, str], ...]
    terminate_on_shutdown: bool
    public: bool = True
    profile: str | None = None

    @property
    def digest(self) -> str:
        """Identify the content, so that an unchanged template is left alone."""
        return digest(self.__dict__ | {"volume": self.volume.model_dump(mode="json")})


@dataclass(frozen=True)
class Plan:
    """What `up` will do, decided. `cost` is the whole fleet's; `price_notes` say how old its prices are,
    `placement_notes` what has to be said of the Spot placement scores.

    `keep`, `start`, `adopt` and `launch` part the members: who has a running instance, who has a
    stopped one, who gets an instance that nobody has, and who needs a new one.
    """

    fleet: str
    region: str
    account_id: str
    spec: FleetSpec
    image: ChosenImage
    gpus: dict[str, int]
    pools: tuple[Pool, ...]
    markets: tuple[Market, ...]
    ingress: frozenset[IngressRule]
    network: Network
    template: LaunchTemplate
    keep: tuple[Assignment, ...]
    start: tuple[Assignment, ...]
    adopt: tuple[Assignment, ...]
    launch: tuple[Member, ...]
    surplus: tuple[InstanceFact, ...]
    expires_at: datetime | None
    cost: FleetCost
    price_notes: tuple[str, ...]
    placement_notes: tuple[str, ...]
    bootstrap_id: str
    texts: Texts
    files: LocalFiles
    observed: Observed
    quotas: QuotaReport
    warnings: tuple[str, ...]

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
        groups = self.owned.security_groups
        same_rules = bool(groups) and groups[0].ingress == self.ingress
        return same_rules and not (self.start or self.adopt or self.launch)

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
class Split:
    """The members, parted as in a plan."""

    keep: tuple[Assignment, ...]
    start: tuple[Assignment, ...]
    adopt: tuple[Assignment, ...]
    launch: tuple[Member, ...]
    surplus: tuple[InstanceFact, ...]


def plan_launch(
    spec: FleetSpec,
    observed: Observed,
    *,
    now: datetime,
    texts: Texts,
    files: LocalFiles,
    catalogue: ImageCatalogue,
) -> Plan:
    """Decide everything that `up` will do. Raises FleetError where the spec cannot be met."""
    architecture = one_architecture(spec.instances, observed)
    network = choose_network(
        spec.access, observed.subnets, observed.owned, fleet=spec.name, region=observed.region
    )
    pools = choose_pools(spec.instances, network, observed)
    markets = MARKETS[spec.instances.market]
    expires_at = _expiry(spec, observed.owned, now=now)
    split = split_members(spec.members, observed.owned.instances)
    quotas = _count_quotas(spec, observed, split, pools)
    image = choose_fleet_image(
        spec.image,
        observed,
        catalogue,
        architecture=architecture,
        types=[observed.instance_types[name] for name in spec.instances.types],
        launching=bool(split.launch),
        now=now,
    )
    plan = Plan(
        fleet=spec.name,
        region=observed.region,
        account_id=observed.identity.account_id,
        spec=spec,
        image=image,
        gpus={name: observed.instance_types[name].gpus for name in spec.instances.types},
        pools=pools,
        markets=markets,
        ingress=_ingress(spec, observed, now=now),
        network=network,
        template=_template(spec, image, texts, expires_at=expires_at),
        keep=split.keep,
        start=split.start,
        adopt=split.adopt,
        launch=split.launch,
        surplus=split.surplus,
        expires_at=expires_at,
        cost=_cost(spec, split, pools, observed.prices),
        price_notes=_price_notes(spec, pools, observed.prices, now=now),
        placement_notes=placement_notes(spec.instances, observed.placement),
        bootstrap_id=bootstrap_digest(texts, spec, image, files),
        texts=texts,
        files=files,
        observed=observed,
        quotas=quotas,
        warnings=(
            *image.warnings,
            *network.notes,
            *profile_warnings(spec, observed.profile),
            *leaving_notes(observed.owned.instances),
            *plan_warnings(spec, pools=pools, surplus=split.surplus, expires_at=expires_at),
            *quota_warnings(quotas),
        ),
    )
    require_profile(spec.instances.profile, observed.profile)
    _require_affordable(plan)
    require_quota(plan.quotas, count=len(plan.launch))
    return plan


def plan_again(plan: Plan, owned: Owned, *, now: datetime, catalogue: ImageCatalogue) -> Plan:
    """Plan anew over what is there of the fleet by now. Raises FleetError where more would be launched."""
    if owned == plan.owned:
        return plan
    again = plan_launch(
        plan.spec,
        replace(plan.observed, owned=owned),
        now=now,
        texts=plan.texts,
        files=plan.files,
        catalogue=catalogue,
    )
    more = len(again.launch) - len(plan.launch)
    if more > 0:
        raise FleetError(
            f"{plan.fleet} has lost {more} of its instances since the plan was made",
            remedy="run the command again, and look at the new plan",
        )
    return again


def _count_quotas(
    spec: FleetSpec, observed: Observed, split: Split, pools: Sequence[Pool]
) -> QuotaReport:
    """Count what is to start and to launch; what runs already is in use."""
    cap, markets = spec.instances.max_price, MARKETS[spec.instances.market]
    choices = ((p.instance_type, m) for m in markets for p in pools if p.within(cap, m))
    wanted = Wanted(tuple(dict.fromkeys(choices)), len(split.launch), started_choices(split))
    return check_quotas(wanted, observed.quotas, observed.instance_types)


def started_choices(split: Split) -> tuple[tuple[str, Market], ...]:
    """Give type and market of each stopped instance that is to start."""
    return tuple((a.instance.instance_type, a.instance.market) for a in split.start)


def _require_affordable(plan: Plan) -> None:
    """Refuse a price cap that leaves nothing to launch in any market."""
    if not any(plan.affordable(pool, market) for pool in plan.pools for market in plan.markets):
        raise nothing_within_cap(
            plan.spec.instances, {pool.instance_type: pool.on_demand_usd for pool in plan.pools}
        )


def split_members(members: Sequence[Member], instances: Iterable[InstanceFact]) -> Split:
    """Part the members: who keeps, starts or adopts an instance, and who needs a new one.

    What EC2 is taking back is nobody's any more: neither kept nor surplus.
    """
    live = sorted(
        (instance for instance in instances if instance.live and not instance.leaving),
        key=lambda instance: (instance.launched_at, instance.instance_id),
    )
    owners = {instance.member: instance for instance in reversed(live) if instance.member}
    spare = [i for i in live if i.member is None and i.state in {"pending", "running"}]
    keep, start, adopt, launch = [], [], [], []
    for member in members:
        owned = owners.get(member.name)
        if owned is None and spare:
            adopt.append(Assignment(member, spare.pop(0)))
        elif owned is None:
            launch.append(member)
        elif owned.state in {"stopped", "stopping"}:
            start.append(Assignment(member, owned))
        else:
            keep.append(Assignment(member, owned))
    used = {a.instance.instance_id for a in (*keep, *start, *adopt)}
    surplus = tuple(instance for instance in live if instance.instance_id not in used)
    return Split(tuple(keep), tuple(start), tuple(adopt), tuple(launch), surplus)


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


def _template(
    spec: FleetSpec, image: ChosenImage, texts: Texts, *, expires_at: datetime | None
) -> LaunchTemplate:
    if spec.volume.size_gib < image.root_size_gib:
        raise FleetError(
            f"volume.size {spec.volume.size_gib}GiB is smaller than the image's {image.root_size_gib}GiB",
            remedy=f"write size: {image.root_size_gib}GiB or more",
        )
    name = tags.resource_name(spec.name)
    instance_tags = tags.fleet_tags(
        spec.name, spec_digest=spec.digest(), expires_at=tags.expiry_text(expires_at)
    )
    instance_tags[tags.LOGIN_USER] = image.user
    if spec.access.via is not None:
        instance_tags[tags.VIA] = access_path_of(spec.access).text
    if spec.tls == "none":
        instance_tags[tags.TLS] = tags.NO_TLS
    return LaunchTemplate(
        name=name,
        image_id=image.image_id,
        root_device=image.root_device,
        volume=spec.volume,
        key_name=name,
        user_data=render_first_boot(texts, fleet=spec.name, expires_at=expires_at),
        instance_tags=tuple(sorted(instance_tags.items())),
        terminate_on_shutdown=_ends_by_itself(spec, expires_at),
        public=spec.access.public,
        profile=spec.instances.profile,
    )


def _ends_by_itself(spec: FleetSpec, expires_at: datetime | None) -> bool:
    """Whether powering off has to end the bill: nobody starts again what switched itself off, or what EC2 took."""
    timed = expires_at is not None or spec.idle is not None
    return timed or "spot" in MARKETS[spec.instances.market]


def _ingress(spec: FleetSpec, observed: Observed, *, now: datetime) -> frozenset[IngressRule]:
    caller = Caller(observed.identity.arn, observed.caller_cidr, now)
    standing = [rule for group in observed.owned.security_groups for rule in group.ingress]
    return spec_ingress(
        spec.access.sources, caller, standing, ports=access_path_of(spec.access).ports
    )


def _cost(spec: FleetSpec, split: Split, pools: Sequence[Pool], prices: Prices) -> FleetCost:
    cap, markets = spec.instances.max_price, MARKETS[spec.instances.market]
    choices = [p.price(m) for m in markets for p in pools if p.within(cap, m)]
    low, high = _hourly(split, choices)
    taken = (*split.keep, *split.start, *split.adopt, *split.launch, *split.surplus)
    return fleet_cost(
        count=len(taken),
        instances=low,
        instances_at_most=high,
        volume=spec.volume,
        rates=prices.rates,
        public=spec.access.public,
    )


def _price_notes(
    spec: FleetSpec, pools: Sequence[Pool], prices: Prices, *, now: datetime
) -> tuple[str, ...]:
    types = [pool.instance_type for pool in pools]
    figures = [*map(instance_figure, types), *volume_figures(spec.volume), "address"]
    unknown = unknown_notes(types, MARKETS[spec.instances.market], prices)
    return (*price_notes(prices, figures, now=now), *unknown)


def _hourly(
    split: Split, choices: Sequence[Decimal | None]
) -> tuple[Decimal | None, Decimal | None]:
    """Price the fleet: what is there at its launch price, what is new at the first and dearest choice."""
    standing = [a.instance.hourly_usd for a in (*split.keep, *split.start, *split.adopt)]
    standing += [instance.hourly_usd for instance in split.surplus]
    first = choices[0] if choices else None
    known = [price for price in choices if price is not None]
    dearest = max(known, default=None) if len(known) == len(choices) else None
    count = len(split.launch)
    return total([*standing, *([first] * count)]), total([*standing, *([dearest] * count)])
