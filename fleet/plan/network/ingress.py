"""Decides who may come in: the rules of the fleet's security group, each described by who made it and when. Pure.

The Description says whose a rule is. Rules of `up` are the spec's and replaced by each `up`; rules of
`fleet access allow` stay until they are revoked; `me` names whose address it is, for `refresh`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from fleet.plan.facts.network import IngressRule, tcp
from fleet.plan.ports import PORTS
from fleet.spec.rules import ME

_UP = "fleet up:"
_ALLOW = "fleet allow:"
_WORLD = frozenset({"0.0.0.0/0", "::/0"})
_UNFIT = re.compile(r"[^A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]")
"""EC2 takes these alone in a rule's description, 255 of them (API reference, IpRange)."""
_MOST_CHARACTERS = 255
_TIME = "%Y-%m-%d %H:%MZ"
_TIME_CHARACTERS = len(" 2026-11-21 09:00Z")


@dataclass(frozen=True)
class Caller:
    """Who makes a rule: the ARN, the address as a CIDR (empty where nobody asked for it), and the time."""

    arn: str
    cidr: str
    now: datetime

    @property
    def name(self) -> str:
        """The user's name, or the session's of a role."""
        return self.arn.rpartition(":")[2].rpartition("/")[2]


def spec_ingress(
    sources: Iterable[str],
    caller: Caller,
    standing: Collection[IngressRule],
    *,
    ports: Collection[int] = PORTS,
) -> frozenset[IngressRule]:
    """Give what `up` makes the ingress: the spec's sources, and what was allowed by hand until it is revoked.

    No other port than `ports` is opened, whoever allowed it.
    """
    wanted = _rules(sources, caller, _UP, ports)
    kept = (rule for rule in standing if is_allowed(rule) and rule.from_port in ports)
    return wanted | frozenset(rule for rule in kept if rule not in wanted)


def allowed_ingress(
    sources: Iterable[str], caller: Caller, standing: Collection[IngressRule] = ()
) -> frozenset[IngressRule]:
    """Give the rules of `fleet access allow`, for the ports that `up` has opened."""
    return _rules(sources, caller, _ALLOW, ports_of(standing))


def ports_of(standing: Collection[IngressRule]) -> tuple[int, ...]:
    """Give the ports that `up` has opened to anybody; all of them where it has opened none."""
    opened = {rule.from_port for rule in standing if origin(rule) == "up"}
    return tuple(port for port in PORTS if port in opened) or PORTS


def refreshed_ingress(caller: Caller, standing: Collection[IngressRule]) -> frozenset[IngressRule]:
    """Give the ingress in which the caller's address now stands in the place of the caller's old ones."""
    mine = [rule for rule in standing if is_mine(rule, caller)]
    kind = _ALLOW if any(is_allowed(rule) for rule in mine) else _UP
    others, ports = frozenset(standing).difference(mine), ports_of(standing)
    # An address that another rule lets in already needs none of its own.
    return others | frozenset(r for r in _rules([ME], caller, kind, ports) if r not in others)


def is_allowed(rule: IngressRule) -> bool:
    """Whether `fleet access allow` made the rule."""
    return rule.description.startswith(_ALLOW)


def is_mine(rule: IngressRule, caller: Caller) -> bool:
    """Whether the rule is for the address that the caller had when it was made."""
    marks = tuple(f"{_mark(kind, caller, mine=True)} " for kind in (_UP, _ALLOW))
    return rule.description.startswith(marks)


def origin(rule: IngressRule) -> str:
    """Say whose a rule is: up, allow, or foreign."""
    if rule.description.startswith(_UP):
        return "up"
    return "allow" if is_allowed(rule) else "foreign"


def opens_to_all(cidrs: Iterable[str]) -> bool:
    """Whether the whole internet is among the CIDRs."""
    return bool(_WORLD.intersection(cidrs))


def _mark(kind: str, caller: Caller, *, mine: bool) -> str:
    text = f"{kind} {'me of' if mine else 'by'} {caller.name}"
    return _UNFIT.sub("_", text)[: _MOST_CHARACTERS - _TIME_CHARACTERS]


def _rules(
    sources: Iterable[str], caller: Caller, kind: str, ports: Collection[int]
) -> frozenset[IngressRule]:
    wanted, time = set(sources), f" {caller.now.astimezone(UTC):{_TIME}}"
    about = {cidr: _mark(kind, caller, mine=False) + time for cidr in wanted - {ME}}
    if ME in wanted:
        about[caller.cidr] = _mark(kind, caller, mine=True) + time
    return frozenset(
        replace(tcp(port, cidr), description=text) for port in ports for cidr, text in about.items()
    )
