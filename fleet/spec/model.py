"""What the user asked for, checked: frozen models that every other layer reads.

Takes values as a person writes them (`8h`, `100GiB`) or as Python has them, gives typed ones.
A value that breaks a rule raises `RefusedError` inside pydantic's ValidationError.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fleet.spec import people, rules, storage
from fleet.spec.access import Access
from fleet.spec.fields import NEED_KEYS
from fleet.spec.frozen import Frozen, at_least_one, distinct
from fleet.spec.interruption import Interruption
from fleet.spec.refusal import refuse
from fleet.spec.values import (
    format_duration,
    parse_duration,
    parse_price,
    parse_size,
    parse_switch,
)

Framework = Literal["pytorch", "tensorflow", "mxnet", "base"]
Os = Literal[
    "ubuntu-26.04",
    "ubuntu-24.04",
    "ubuntu-22.04",
    "ubuntu-20.04",
    "amazon-linux-2023",
    "amazon-linux-2",
]
Market = Literal["on-demand", "spot", "spot-first"]
Tls = Literal["ca", "none"]
VolumeType = Literal["gp3", "gp2", "io1", "io2"]

# EC2 bills a minute at least, and by the second after that: nothing shorter is worth asking for.
SHORTEST = timedelta(minutes=1)
# Whoever needs longer than a month says so: `never`. An extension goes no further either.
LONGEST = timedelta(days=30)
DEFAULT_SIZE_GIB = 100


def _duration(value: object) -> timedelta | None:
    return None if value is None else parse_duration(value)


def _price(value: object) -> Decimal | None:
    return None if value is None else parse_price(value)


def _up_to(most: int) -> Callable[[int | None], int | None]:
    def check(value: int | None) -> int | None:
        if value is not None and value < 1:
            raise refuse(f"is {value}", "write 1 or more, or remove it")
        if value is not None and value > most:
            raise refuse(f"is {value}, and no instance type has more than {most}", "write less")
        return value

    return check


def _gib(value: object) -> int | None:
    return None if value is None else parse_size(value)


GiB = Annotated[int | None, BeforeValidator(_gib), AfterValidator(_up_to(rules.MOST_MEMORY_GIB))]
Duration = Annotated[timedelta | None, BeforeValidator(_duration)]


def _plain(price: Decimal) -> Decimal:
    """The same price without zeros at its end, so that 0.60 and 0.6 have one digest."""
    whole = price.to_integral_value()
    return whole if price == whole else price.normalize()


class Member(Frozen):
    """One person: a name that is unique in the fleet; a public key and an address if known."""

    name: Annotated[str, AfterValidator(people.member_name)]
    ssh_key: Annotated[str, AfterValidator(people.ssh_key)] | None = None
    email: Annotated[str, AfterValidator(people.email)] | None = None


class ImageSelector(Frozen):
    """Which AMI: exactly one of its id, its full name, or a framework to choose one by."""

    id: Annotated[str, AfterValidator(rules.image_id)] | None = None
    name: Annotated[str, AfterValidator(rules.image_name)] | None = None
    framework: Framework | None = None
    version: Annotated[str, AfterValidator(rules.version)] | None = None
    os: Os | None = None

    @field_validator("version", "os")
    @classmethod
    def _narrows_a_framework(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "framework" not in info.data:
            return value
        if info.data["framework"] is None:
            raise refuse("goes with framework only", "remove it, or write framework: pytorch")
        if info.data["framework"] == "base" and info.field_name == "version":
            raise refuse("has no meaning for a base image", "remove it")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> ImageSelector:
        given = [name for name in ("id", "name", "framework") if getattr(self, name) is not None]
        if not given:
            raise refuse("does not say which image", "write framework: pytorch, or id:, or name:")
        if len(given) > 1:
            raise refuse(f"has {' and '.join(given)} at once", "keep one of them")
        return self


class Instances(Frozen):
    """What to launch: instance types in the order of preference, or what they need; and the market.

    Needs are least values, memory in GiB; a plan fills in `types` by them. `max_price` is the most
    that one instance may cost, in USD per hour: EC2 holds it for Spot, and On-Demand types that cost
    more are left out. `profile` is an instance profile's name or ARN.
    """

    types: Annotated[
        tuple[Annotated[str, AfterValidator(rules.instance_type)], ...],
        AfterValidator(at_least_one("name one type", "[g5.xlarge]")),
    ] = ()
    gpus: Annotated[int | None, AfterValidator(_up_to(rules.MOST_GPUS))] = None
    gpu_memory_gib: GiB = None
    vcpus: Annotated[int | None, AfterValidator(_up_to(rules.MOST_VCPUS))] = None
    memory_gib: GiB = None
    market: Market = "on-demand"
    max_price: Annotated[Decimal | None, BeforeValidator(_price)] = None
    profile: Annotated[str, AfterValidator(rules.instance_profile)] | None = None

    @field_validator("max_price")
    @classmethod
    def _worth_something(cls, value: Decimal | None) -> Decimal | None:
        if value is None:
            return value
        if not value.is_finite() or value <= 0:
            raise refuse(f"is {value}, and EC2 sells nothing at that", "write it like 0.60")
        return _plain(value)

    @property
    def by_need(self) -> tuple[str, ...]:
        """Names of the needs that are there, as the file calls them; empty where types are named."""
        needs = zip(
            NEED_KEYS, (self.gpus, self.gpu_memory_gib, self.vcpus, self.memory_gib), strict=True
        )
        return tuple(name for name, value in needs if value is not None)

    @model_validator(mode="after")
    def _types_or_needs(self) -> Instances:
        if not self.types and not self.by_need:
            raise refuse(
                "does not say what to launch",
                "write types: [g5.xlarge], or gpus: 1 to choose by need",
            )
        if self.types and self.by_need:
            given = " and ".join(("types", *self.by_need))
            raise refuse(f"has {given} at once", "keep the types, or what they need")
        return self


class Volume(Frozen):
    """The root volume. `throughput` is MiB/s; None is EBS's own default (gp3: 3000 and 125)."""

    size_gib: Annotated[int, BeforeValidator(parse_size)] = DEFAULT_SIZE_GIB
    type: VolumeType = "gp3"
    iops: int | None = None
    throughput: int | None = None
    kms_key: Annotated[str, AfterValidator(rules.kms_key)] | None = None

    @model_validator(mode="after")
    def _within_limits(self) -> Volume:
        storage.check(self.type, self.size_gib, self.iops, self.throughput)
        return self


class Bootstrap(Frozen):
    """What each environment gets besides Jupyter and TensorBoard.

    `files` holds pairs: a path from the spec's folder, and a path under the environment's home.
    Without `sudo` the person has an account that may not become root.
    """

    packages: Annotated[
        tuple[Annotated[str, AfterValidator(rules.package)], ...], AfterValidator(distinct)
    ] = ()
    git: Annotated[
        tuple[Annotated[str, AfterValidator(rules.git_url)], ...], AfterValidator(distinct)
    ] = ()
    files: tuple[
        tuple[
            Annotated[str, AfterValidator(rules.local_path)],
            Annotated[str, AfterValidator(rules.remote_path)],
        ],
        ...,
    ] = ()
    script: Annotated[str, AfterValidator(rules.local_path)] | None = None
    sudo: Annotated[bool, BeforeValidator(parse_switch)] = True


class FleetSpec(Frozen):
    """The whole spec.

    `expires` counts from the launch and `idle` from the last activity; None is never.
    `region` None is the profile's; `min_ready` None asks for every member. `tls` is `ca` for certificates of the
    fleet's own authority.
    """

    name: Annotated[str, AfterValidator(rules.fleet_name)]
    region: Annotated[str, AfterValidator(rules.region)] | None = None
    members: tuple[Member, ...]
    image: ImageSelector
    instances: Instances
    volume: Volume = Volume()
    access: Access = Access()
    expires: Duration
    idle: Duration = None
    interruption: Interruption = Interruption()
    bootstrap: Bootstrap = Bootstrap()
    min_ready: int | None = None
    tls: Tls = "ca"

    @field_validator("members")
    @classmethod
    def _distinct_members(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        if not members:
            raise refuse("has nobody in it", "write members: [ana, ben], or count: 20")
        if len(members) > people.MOST_MEMBERS:
            most = people.MOST_MEMBERS
            raise refuse(
                f"has {len(members)} people, and a fleet {most} at most", "make two fleets"
            )
        people.distinct_names([member.name for member in members])
        return members

    @field_validator("expires", "idle")
    @classmethod
    def _bounded(cls, duration: timedelta | None, info: ValidationInfo) -> timedelta | None:
        if duration is None:
            return duration
        if duration < SHORTEST:
            message = f"is {format_duration(duration)}, and EC2 bills a minute at least"
            raise refuse(message, "write 1m or more")
        if duration > LONGEST:
            remedy = "write 30d or less" + (", or never" if info.field_name == "expires" else "")
            raise refuse(f"is {format_duration(duration)}, more than 30 days", remedy)
        return duration

    @field_validator("idle")
    @classmethod
    def _idle_before_expiry(cls, idle: timedelta | None, info: ValidationInfo) -> timedelta | None:
        expires = info.data.get("expires")
        if idle is not None and expires is not None and idle >= expires:
            raise refuse(
                f"is {format_duration(idle)}, and everything ends after {format_duration(expires)}",
                "write less than expires, or remove idle",
            )
        return idle

    @field_validator("min_ready")
    @classmethod
    def _some_of_all(cls, least: int | None, info: ValidationInfo) -> int | None:
        if least is not None and least < 1:
            raise refuse(f"is {least}", "write 1 or more, or remove it to ask for every member")
        members = info.data.get("members")
        if least is not None and members is not None and least > len(members):
            raise refuse(
                f"is {least}, and there are {len(members)} members", f"write {len(members)} or less"
            )
        return least

    @field_validator("tls")
    @classmethod
    def _plain_inside_ssh(cls, tls: Tls, info: ValidationInfo) -> Tls:
        access = info.data.get("access")
        if tls == "none" and access is not None and not access.tunnel:
            raise refuse(
                "is none, and tokens would cross the network in the clear",
                "add access: {via: tunnel}, or remove tls",
            )
        return tls

    def digest(self) -> str:
        """12 hex digits over everything but the members: one person more leaves it as it is.

        Types that were filled in by need are left out: what is cheapest changes by the hour.
        """
        content = self.model_dump(mode="json", exclude={"members"}, exclude_none=True)
        if self.instances.by_need:
            del content["instances"]["types"]
        if self.bootstrap.sudo:  # later than the first specs, whose digests are in tags
            del content["bootstrap"]["sudo"]
        if self.tls == "ca":
            del content["tls"]
        if not self.interruption.sync:
            del content["interruption"]
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]
