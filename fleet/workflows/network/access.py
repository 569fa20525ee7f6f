"""Who may come in: shows, allows, revokes and refreshes the rules of a fleet's security group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleet.aws.identity import describe_caller_cidr, describe_identity
from fleet.aws.network import describe_rules_as, describe_security_groups, ensure_ingress
from fleet.errors import FleetError, NothingFoundError, UsageError
from fleet.plan.facts.network import IngressRule, SecurityGroupFact
from fleet.plan.network.ingress import (
    Caller,
    allowed_ingress,
    is_allowed,
    origin,
    refreshed_ingress,
)
from fleet.spec.refusal import RefusedError
from fleet.spec.rules import ME, source
from fleet.workflows.context import Context


@dataclass(frozen=True)
class OpenSource:
    """One CIDR that may come in: to which ports, made by whom (up, allow or foreign), and what the rule says of it."""

    cidr: str
    ports: tuple[str, ...]
    by: str
    description: str

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of one row."""
        return {
            "cidr": self.cidr,
            "ports": list(self.ports),
            "by": self.by,
            "description": self.description,
        }


@dataclass(frozen=True)
class AccessReport:
    """Who may come in to a fleet."""

    fleet: str
    group_id: str
    sources: tuple[OpenSource, ...]

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of `fleet access show`."""
        sources = [source.as_json() for source in self.sources]
        return {"fleet": self.fleet, "security_group_id": self.group_id, "ingress": sources}


def checked_sources(texts: Iterable[str]) -> tuple[str, ...]:
    """Give CIDRs and `me` in canonical form, an address as a CIDR of one. Raises UsageError."""
    return tuple(dict.fromkeys(_checked(text) for text in texts))


def _checked(text: str) -> str:
    try:
        return source(text)
    except RefusedError as refused:
        (objection, *_) = refused.objections
        raise UsageError(objection.message, remedy=objection.remedy) from refused


def describe_access(context: Context, fleet: str) -> AccessReport:
    """Describe who may come in. Raises NothingFoundError where there is no such fleet."""
    return _report(fleet, _group(context, fleet))


def allow(context: Context, fleet: str, sources: Sequence[str]) -> AccessReport:
    """Let CIDRs in until they are revoked; `me` is the caller's address, in the place of the caller's old one."""
    group = _group(context, fleet)
    caller = _caller(context, ask_address=ME in sources)
    rules = allowed_ingress(sources, caller, group.ingress)
    standing = refreshed_ingress(caller, group.ingress) if ME in sources else group.ingress
    # One that stands for another reason becomes an allowed one, which the next `up` keeps.
    return _change(context, fleet, group, rules | (standing - rules), renamed=rules)


def revoke(context: Context, fleet: str, sources: Sequence[str]) -> AccessReport:
    """Take CIDRs out again, whoever let them in. Raises NothingFoundError for one that has no rule."""
    group = _group(context, fleet)
    caller = _caller(context, ask_address=ME in sources)
    cidrs = {caller.cidr if one == ME else one for one in sources}
    known = {rule.cidr for rule in group.ingress}
    if unknown := sorted(cidrs - known):
        raise NothingFoundError(
            f"{' and '.join(unknown)} may not come in to fleet {fleet} anyway",
            remedy=f"`fleet access show {fleet}` lists who may",
        )
    left = frozenset(rule for rule in group.ingress if rule.cidr not in cidrs)
    return _change(context, fleet, group, left)


def refresh(context: Context, fleet: str) -> AccessReport:
    """Put the caller's address of now in the place of the caller's old one."""
    group = _group(context, fleet)
    caller = _caller(context, ask_address=True)
    return _change(context, fleet, group, refreshed_ingress(caller, group.ingress))


def _change(
    context: Context,
    fleet: str,
    group: SecurityGroupFact,
    wanted: frozenset[IngressRule],
    *,
    renamed: frozenset[IngressRule] = frozenset(),
) -> AccessReport:
    ensure_ingress(context.aws, group, wanted=wanted)
    others = frozenset(rule for rule in group.ingress if not is_allowed(rule))
    if again := [rule for rule in renamed if rule in others]:
        describe_rules_as(context.aws, group_id=group.group_id, rules=again)
    return describe_access(context, fleet)


def _caller(context: Context, *, ask_address: bool) -> Caller:
    cidr = describe_caller_cidr(context.settings.checkip_url) if ask_address else ""
    return Caller(describe_identity(context.aws).arn, cidr, context.now())


def _group(context: Context, fleet: str) -> SecurityGroupFact:
    groups = describe_security_groups(context.aws, fleet=fleet)
    if not groups:
        raise NothingFoundError(
            f"fleet {fleet} has no security group in {context.aws.region}",
            remedy="`fleet ls` shows the fleets; another region: --region",
        )
    if len(groups) > 1:
        listed = ", ".join(group.group_id for group in groups)
        raise FleetError(
            f"fleet {fleet} has several security groups: {listed}",
            remedy="delete those that no instance uses",
        )
    return groups[0]


def _report(fleet: str, group: SecurityGroupFact) -> AccessReport:
    sources: dict[tuple[str, str, str], list[IngressRule]] = {}
    for rule in sorted(group.ingress):
        sources.setdefault((rule.cidr, origin(rule), rule.description), []).append(rule)
    return AccessReport(
        fleet,
        group.group_id,
        tuple(
            OpenSource(cidr, tuple(_ports(rule) for rule in rules), by, about)
            for (cidr, by, about), rules in sorted(sources.items())
        ),
    )


def _ports(rule: IngressRule) -> str:
    if rule.protocol == "-1":
        return "all"
    ports = f"{rule.from_port}" + (f"-{rule.to_port}" if rule.to_port != rule.from_port else "")
    return ports if rule.protocol == "tcp" else f"{ports}/{rule.protocol}"
