"""Who may come in, and how the instances are reached: the network part of a spec.

Takes values as a person writes them, gives typed ones; a rule that is broken raises `RefusedError`
inside pydantic's ValidationError.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fleet.spec import rules
from fleet.spec.forms import Doc, Shape
from fleet.spec.frozen import AtLeastOne, Frozen
from fleet.spec.refusal import refuse
from fleet.spec.typed import Bastion, Source, SubnetId, VpcId
from fleet.spec.values import parse_switch

Through = Literal["ssm", "direct", "tunnel"]

_WAYS = "via: ssm, via: direct, or via: {bastion: USER@HOST}"


class Via(Frozen):
    """The way to instances: exactly one of a kind and a bastion host.

    `ssm` is a session of Systems Manager, `direct` a network that reaches them (VPN, peering): both, and a bastion,
    are for instances without public addresses. `tunnel` is SSH to public addresses, with no other port open.
    """

    shape: ClassVar[Shape] = Shape(short="through", one_of=(("through",), ("bastion",)))

    through: Annotated[
        Through | None,
        Doc(
            "`ssm`: SSH over a session of Systems Manager, which needs its plugin here and an "
            "instance profile there; `direct`: a VPN or peering reaches private addresses; `tunnel`: "
            "public addresses with no port open but SSH's, through which `fleet open` and `fleet tunnel` go.",
            "ssm",
        ),
    ] = None
    bastion: Annotated[
        Bastion | None,
        Doc(
            "SSH through this host, whose host key stands in your known_hosts.",
            "ec2-user@bastion.example.org",
        ),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Via:
        if self.through and self.bastion:
            raise refuse("has through and bastion at once", f"keep one of them: {_WAYS}")
        if not self.through and not self.bastion:
            raise refuse("names no way", f"write {_WAYS}")
        return self


class Access(Frozen):
    """Who may reach the ports: CIDRs, and `me` for the caller's public address; and over which network.

    `vpc` None is the default VPC, or that of `subnets`; no `subnets` are all of the VPC's. `via` is
    the way in where instances have no public addresses; `public_ip` None follows from it.
    """

    sources: Annotated[
        tuple[Source, ...],
        AfterValidator(AtLeastOne("say who may come in", "[me]")),
        Doc(
            "Who may reach SSH, Jupyter and TensorBoard: CIDRs; `me` is your own public address.",
            "[me, 203.0.113.0/24]",
            default="[me]",
            name="from",
        ),
    ] = (rules.ME,)
    vpc: Annotated[
        VpcId | None,
        Doc(
            "The VPC to launch in.",
            "vpc-0123456789abcdef0",
            default="the default VPC, or that of subnets",
        ),
    ] = None
    subnets: Annotated[
        Annotated[
            tuple[SubnetId, ...],
            AfterValidator(AtLeastOne("name a subnet", "[subnet-0123456789abcdef0]")),
        ]
        | None,
        Doc(
            "The subnets to launch in. One in each Availability Zone is used, the one with most free "
            "addresses; the others of a zone stand in when it is full.",
            "[subnet-0123456789abcdef0]",
            default="those of the VPC that can be reached",
        ),
    ] = None
    via: Annotated[
        Via | None,
        Doc(
            "How instances are reached: inside SSH to public addresses (tunnel); or, without public addresses, "
            "by ssm, direct, or a bastion host.",
            "{bastion: ec2-user@bastion.example.org}",
            default="public addresses, all ports open to `from`",
        ),
    ] = None
    public_ip: Annotated[
        bool | None,
        BeforeValidator(parse_switch),
        Doc(
            "Whether instances get public addresses; without, via has to say how they are reached.",
            "false",
            default="true, or false where via is written",
            before="via",
        ),
    ] = None

    @property
    def public(self) -> bool:
        """Whether instances get public addresses."""
        return self.via is None or self.tunnel

    @property
    def tunnel(self) -> bool:
        """Whether instances have public addresses at which SSH alone comes in."""
        return self.via is not None and self.via.through == "tunnel"

    @field_validator("public_ip")
    @classmethod
    def _goes_with_via(  # pydantic calls it by position
        cls,
        value: bool | None,  # noqa: FBT001
        info: ValidationInfo,
    ) -> bool | None:
        if value is None or "via" not in info.data:
            return value
        via = info.data["via"]
        if via is not None and via.through == "tunnel":
            if not value:
                raise refuse(
                    "is false beside via: tunnel, which is SSH to public addresses",
                    "remove public_ip, or write via: ssm, via: direct, or via: {bastion: USER@HOST}",
                )
            return value
        if value and via is not None:
            raise refuse("is true beside via", "remove via, or write public_ip: false")
        if not value and via is None:
            raise refuse("is false, and no way in is written", f"add {_WAYS}")
        return value

    @model_validator(mode="after")
    def _reached_from_inside(self) -> Access:
        """Hosts without public addresses see a bastion or VPN client at an address of its own network."""
        if self.public or self.sources != (rules.ME,):
            return self
        if self.via is not None and self.via.through == "ssm":
            return self
        raise refuse(
            "lets in only me, your public address, which hosts without public addresses never see",
            "write from: with the network that you or the bastion come from, such as [10.0.0.0/16]",
        )
