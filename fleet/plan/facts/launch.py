"""Facts: what a launch goes on from, and all that its plan is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.plan.facts.account import Identity
from fleet.plan.facts.environment import InstanceFact, youngest
from fleet.plan.facts.hardware import InstanceTypeFact, PlacementFacts, Prices, QuotaFacts
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.network import SecurityGroupFact, SubnetFact


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
