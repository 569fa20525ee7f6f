"""What the user asked for, checked: frozen models that every other layer reads.

Takes values as a person writes them (`8h`, `100GiB`) or as Python has them, gives typed ones.
A value that breaks a rule raises `RefusedError` inside pydantic's ValidationError.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator

from fleet.spec import people
from fleet.spec.access import Access
from fleet.spec.bootstrap import Bootstrap
from fleet.spec.forms import Doc, Shape, Text, Texts, Whole
from fleet.spec.frozen import Frozen
from fleet.spec.image import ImageSelector
from fleet.spec.instances import Instances
from fleet.spec.interruption import Interruption
from fleet.spec.refusal import refuse
from fleet.spec.storage import Volume
from fleet.spec.typed import FleetName, Region
from fleet.spec.values import format_duration, parse_duration

__all__ = ["Bootstrap", "FleetSpec", "ImageSelector", "Instances", "Member", "Volume"]

Tls = Literal["ca", "none"]

MEMBER_KEYS = ("members", "count", "roster")

# EC2 bills a minute at least, and by the second after that: nothing shorter is worth asking for.
SHORTEST = timedelta(minutes=1)
# Whoever needs longer than a month says so: `never`. An extension goes no further either.
LONGEST = timedelta(days=30)


def _duration(value: object) -> timedelta | None:
    return None if value is None else parse_duration(value)


Duration = Annotated[timedelta | None, BeforeValidator(_duration)]


class Member(Frozen):
    """One person: a name that is unique in the fleet; a public key and an address if known."""

    name: Annotated[str, AfterValidator(people.member_name)]
    ssh_key: Annotated[str, AfterValidator(people.ssh_key)] | None = None
    email: Annotated[str, AfterValidator(people.email)] | None = None


class FleetSpec(Frozen):
    """The whole spec.

    `expires` counts from the launch and `idle` from the last activity; None is never.
    `region` None is the profile's; `min_ready` None asks for every member. `tls` is `ca` for certificates of the
    fleet's own authority.
    """

    shape: ClassVar[Shape] = Shape(one_of=tuple((key,) for key in MEMBER_KEYS))

    name: Annotated[
        FleetName,
        Doc("The fleet's name: 1 to 31 letters a-z, digits and '-', a letter first.", "workshop"),
    ]
    region: Annotated[
        Region | None,
        Doc("The AWS Region that the whole fleet lives in.", "us-east-1", default="the profile's"),
    ] = None
    members: Annotated[
        tuple[Member, ...],
        Doc(
            "The people, one environment each.",
            "[ana, ben, chloe]",
            form=Texts(least=1, most=people.MOST_MEMBERS, item="member"),
        ),
        Doc(
            "That many members, named env-01, env-02, ...",
            "20",
            name="count",
            form=Whole(1, people.MOST_MEMBERS),
        ),
        Doc(
            "A CSV file with the columns member, ssh_key and email (the last two optional), "
            "as a path from the spec's folder.",
            "people.csv",
            name="roster",
            form=Text(),
        ),
    ]
    image: Annotated[
        ImageSelector,
        Doc("The AMI: framework (with version and os), id, or name.", "{framework: pytorch}"),
    ]
    instances: Annotated[Instances, Doc("What to launch.", "{types: [g5.xlarge]}")]
    volume: Annotated[
        Volume,
        Doc("The root volume; always encrypted.", "100GiB", default="100GiB of gp3"),
    ] = Volume()
    access: Annotated[Access, Doc("Who may come in.", "{from: [me]}", default="{from: [me]}")] = (
        Access()
    )
    tls: Annotated[
        Tls,
        Doc(
            "`ca`: Jupyter and TensorBoard over TLS, with certificates of the fleet's own authority (`fleet ca`); "
            "`none`: without, which only `access: {via: tunnel}` allows.",
            "none",
        ),
    ] = "ca"
    expires: Annotated[
        Duration,
        Doc(
            "How long after its launch an environment terminates by itself, 1m to 30d, or `never`.",
            "8h",
            also="never",
        ),
    ]
    idle: Annotated[
        Duration,
        Doc(
            "After how long without activity an environment terminates (docs/bootstrap.md says what that is); "
            "shorter than expires.",
            "60m",
            default="never",
        ),
    ] = None
    interruption: Annotated[
        Interruption,
        Doc(
            "What is saved in the two minutes before EC2 takes a Spot Instance back.",
            "{sync: {~/work: s3://team-bucket/workshop}}",
            default="what `~/on-interruption` does",
        ),
    ] = Interruption()
    bootstrap: Annotated[
        Bootstrap,
        Doc(
            "What each environment gets besides Jupyter and TensorBoard.",
            "{packages: [einops]}",
            default="nothing",
        ),
    ] = Bootstrap()
    min_ready: Annotated[
        int | None,
        Doc(
            "How many environments must be ready for `fleet up` to succeed.",
            "18",
            default="all",
            name="min",
            form=Whole(1, people.MOST_MEMBERS),
        ),
    ] = None

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
