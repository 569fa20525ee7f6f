"""Facts: subnets, ingress rules and security groups."""

from __future__ import annotations

from dataclasses import dataclass, field


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
