"""What was observed, as plain frozen facts. `aws/` makes them, `plan/` reads them; AWS dictionaries stop here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

from fleet.plan import tags
from fleet.plan.access_path import AccessPath, parse_access_path

Market = Literal["on-demand", "spot"]
MARKET_NAMES: dict[Market, str] = {"on-demand": "On-Demand", "spot": "Spot"}

LIVE_STATES = frozenset({"pending", "running", "stopping", "stopped"})
"""Instance states that come back or cost something; `shutting-down` and `terminated` do neither."""


@dataclass(frozen=True)
class Identity:
    """Who calls: account id and ARN."""

    account_id: str
    arn: str


@dataclass(frozen=True)
class ImageFact:
    """An AMI as DescribeImages gives it. `root_size_gib` is the size of its root snapshot.

    `tags` and `snapshot_ids` are known of the account's own images; `state_reason` says why one is `failed`.
    """

    image_id: str
    name: str
    owner_id: str
    architecture: str
    created_at: datetime
    root_device: str
    root_size_gib: int
    state: str
    description: str = ""
    deprecated_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    snapshot_ids: tuple[str, ...] = ()
    encrypted: bool = False
    state_reason: str = ""


@dataclass(frozen=True)
class ImageProgress:
    """How far EC2 is with an image. `percent` is its snapshots' and None while EC2 says nothing of it.

    `state` is EC2's: pending, available, failed, and others; `reason` says why an image is `failed`.
    """

    state: str
    percent: int | None = None
    reason: str = ""
    snapshot_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class SnapshotFact:
    """A snapshot of a baked image, or of one that was. `state` is EC2's; `recipe` is what its tag says."""

    snapshot_id: str
    recipe: str
    size_gib: int
    state: str


@dataclass(frozen=True)
class InstanceTypeFact:
    """An instance type: its size, architectures, and GPUs (0 for none; a fraction of a GPU counts as 1).

    `manufacturer` is that of the GPUs, or else of the inference accelerators, as EC2 writes it.
    `gpu_memory_mib` is one GPU's, or that of the part where `gpu_share` is less than a whole GPU (g6f).
    """

    name: str
    vcpus: int
    memory_mib: int
    architectures: tuple[str, ...]
    gpus: int
    gpu_name: str
    manufacturer: str = ""
    gpu_memory_mib: int = 0
    gpu_share: Decimal = Decimal(1)
    network: str = ""


@dataclass(frozen=True)
class SubnetFact:
    """A subnet that instances can go into. `zone_id` is the zone's id, the same in every account (use1-az1).

    `default_route` is the target of its route to 0.0.0.0/0, such as igw-... or nat-..., empty for none.
    """

    subnet_id: str
    vpc_id: str
    availability_zone: str
    free_addresses: int
    zone_id: str = ""
    default_route: str = ""

    @property
    def public(self) -> bool:
        """Whether it is a public subnet in AWS's sense: its way to the internet is an internet gateway."""
        return self.default_route.startswith("igw-")

    @property
    def way_out(self) -> bool:
        """Whether an instance without a public address gets out to the internet."""
        return bool(self.default_route) and not self.public


@dataclass(frozen=True, order=True)
class IngressRule:
    """A range of ports open to one CIDR. `protocol` is EC2's: `tcp`, or `-1` for everything, with ports -1.

    `description` tells whose it is; two rules that differ in nothing else are one to EC2.
    """

    from_port: int
    to_port: int
    cidr: str
    protocol: str = "tcp"
    description: str = field(default="", compare=False)


def tcp(port: int, cidr: str) -> IngressRule:
    """Give the rule that opens one TCP port to one CIDR."""
    return IngressRule(port, port, cidr)


@dataclass(frozen=True)
class SecurityGroupFact:
    """A security group of the fleet with its ingress."""

    group_id: str
    vpc_id: str
    ingress: frozenset[IngressRule]


@dataclass(frozen=True)
class LaunchTemplateFact:
    """The fleet's launch template. `digest` identifies what its latest version would launch."""

    template_id: str
    name: str
    version: int
    digest: str
    expires_at: str


@dataclass(frozen=True)
class KeyPairFact:
    """A key pair of the fleet. `public_key` is OpenSSH's `type base64`, without comment."""

    key_pair_id: str
    name: str
    public_key: str


NOTICE = timedelta(minutes=2)
"""So long before its end EC2 says that it takes a Spot Instance back."""
_MARKED = "marked-for-termination"
_ENDED = ("instance-terminated-", "spot-instance-terminated-")
_OWN_SHUTDOWN = "Client.InstanceInitiatedShutdown"


@dataclass(frozen=True)
class SpotStatus:
    """The status of an instance's Spot request: EC2's code, and since when.

    Codes: EC2 user guide, "Get the status of a Spot Instance request". Where EC2 needs the capacity back and
    terminates, the code is `instance-terminated-no-capacity` at once, and the instance runs for two minutes more.
    """

    code: str
    since: datetime | None = None

    @property
    def final(self) -> bool:
        """Whether EC2 has ended the instance, or is about to."""
        return self.code == _MARKED or self.code.startswith(_ENDED)


@dataclass(frozen=True)
class InstanceFact:
    """An instance of a fleet, with what its tags say about it.

    `state_reason_code` is EC2's own, such as `Server.SpotInstanceTermination`. `spot_status` is None where the
    instance is none of Spot, or nobody has asked.
    """

    instance_id: str
    state: str
    instance_type: str
    availability_zone: str
    market: Market
    image_id: str
    public_address: str | None
    private_address: str | None
    launched_at: datetime
    state_reason: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    dns_names: tuple[str, ...] = ()
    state_reason_code: str = ""
    spot_status: SpotStatus | None = None

    @property
    def fleet(self) -> str:
        """Name of the fleet."""
        return self.tags.get(tags.FLEET, "")

    @property
    def member(self) -> str | None:
        """The person's name in the fleet, or None while nobody has it yet."""
        return self.tags.get(tags.MEMBER)

    @property
    def holder(self) -> str:
        """Whose it is; its own id while it is nobody's yet."""
        return self.member or self.instance_id

    @property
    def access_path(self) -> AccessPath:
        """How it is reached."""
        return parse_access_path(self.tags.get(tags.VIA))

    @property
    def address(self) -> str | None:
        """The address at which it is reached, or None while it has none."""
        return self.public_address if self.access_path.public else self.private_address

    @property
    def tls(self) -> bool:
        """Whether its services speak TLS."""
        return self.tags.get(tags.TLS) != tags.NO_TLS

    @property
    def login_user(self) -> str:
        """The image's own user, who may become root."""
        return self.tags.get(tags.LOGIN_USER, "ubuntu")

    @property
    def account(self) -> str:
        """The person's account: one without sudo where the spec says so, else the image's own user."""
        return self.tags.get(tags.ACCOUNT) or self.login_user

    @property
    def live(self) -> bool:
        """Whether it exists still: neither terminated nor on its way there."""
        return self.state in LIVE_STATES

    @property
    def leaving(self) -> bool:
        """Whether EC2 is about to take it back although it still exists: somebody else has to stand in."""
        return self.live and self.spot_status is not None and self.spot_status.final

    @property
    def taken_back_at(self) -> datetime | None:
        """About when EC2 takes it back, or None where that is not known."""
        since = self.spot_status.since if self.spot_status and self.leaving else None
        return since + NOTICE if since else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether it powered itself off, as it does when it is idle, at its expiry, or when somebody on it says so."""
        return not self.live and self.state_reason_code == _OWN_SHUTDOWN

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by itself, or None for never."""
        return tags.parse_expiry(self.tags.get(tags.EXPIRES_AT))

    @property
    def hourly_usd(self) -> Decimal | None:
        """USD per hour at the time of its launch, or None when the tag is not there."""
        try:
            return Decimal(self.tags[tags.HOURLY_USD])
        except (KeyError, InvalidOperation):
            return None


@dataclass(frozen=True)
class Figure:
    """One price: USD (None: the Price List has none), and when it was read, or the date of the snapshot it is from."""

    usd: Decimal | None
    at: datetime
    snapshot: bool = False


@dataclass(frozen=True)
class Prices:
    """USD per hour: On-Demand by type, Spot by (type, Availability Zone). What is unknown is left out.

    `rates` are those of volumes and addresses, by the names of `plan.prices`; `figures` holds each
    price that is not Spot with its date; `trouble` says why the Price List gave nothing.
    """

    on_demand: Mapping[str, Decimal]
    spot: Mapping[tuple[str, str], Decimal]
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    figures: Mapping[str, Figure] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class PlacementFacts:
    """Spot placement scores, 1 to 10, by the id of the Availability Zone, for all wished types together.

    `unread` says why nothing is known, and is empty otherwise, also where nobody asked.
    """

    scores: Mapping[str, int] = field(default_factory=dict)
    unread: str = ""


@dataclass(frozen=True)
class QuotaFacts:
    """vCPU quotas by code, where the account has them, and vCPUs in use in the region by type and market.

    `unread` says why nothing is known, and is empty otherwise.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    in_use: Mapping[tuple[str, Market], int] = field(default_factory=dict)
    unread: str = ""


@dataclass(frozen=True)
class ProfileFact:
    """The instance profile that was asked for: its ARN, empty where there is none of that name.

    `unread` says why nothing is known, and is empty otherwise, also where nobody asked.
    """

    arn: str = ""
    unread: str = ""


@dataclass(frozen=True)
class Owned:
    """What carries the fleet's tag in the region, of the kinds that a launch goes on from."""

    instances: tuple[InstanceFact, ...] = ()
    security_groups: tuple[SecurityGroupFact, ...] = ()
    key_pairs: tuple[KeyPairFact, ...] = ()
    launch_templates: tuple[LaunchTemplateFact, ...] = ()

    @property
    def youngest(self) -> InstanceFact | None:
        """The instance that was launched last of those that live."""
        return youngest(self.instances)

    @property
    def prerequisites(self) -> bool:
        """Whether anything stands that instances are launched with."""
        return bool(self.security_groups or self.key_pairs or self.launch_templates)

    @property
    def anything(self) -> bool:
        """Whether anything stands at all."""
        return self.prerequisites or self.youngest is not None


def youngest(instances: Iterable[InstanceFact]) -> InstanceFact | None:
    """Give the instance that was launched last of those that live."""
    live = (one for one in instances if one.live)
    return max(live, key=lambda one: one.launched_at, default=None)


@dataclass(frozen=True)
class Observed:
    """All that a plan of a launch is made from."""

    identity: Identity
    region: str
    caller_cidr: str
    images: tuple[ImageFact, ...]
    images_of_fleet: tuple[ImageFact, ...] = field(default=(), kw_only=True)
    """The image that the fleet was made with, where it lives and the image is still visible."""
    line_parameters: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """AWS's public parameters of the lines that are asked for: image ids by parameter name."""
    placement: PlacementFacts = field(default=PlacementFacts(), kw_only=True)
    profile: ProfileFact = field(default=ProfileFact(), kw_only=True)
    instance_types: Mapping[str, InstanceTypeFact]
    offerings: Mapping[str, frozenset[str]]
    subnets: tuple[SubnetFact, ...]
    prices: Prices
    owned: Owned
    quotas: QuotaFacts
