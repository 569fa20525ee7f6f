"""What `doctor` finds: one line per check, with its remedy. Pure judgements over what was observed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fleet.plan.facts.network import SubnetFact
from fleet.plan.hardware.quotas import QuotaReport

State = Literal["ok", "failed", "skipped"]

MOST_SKEW = timedelta(minutes=5)
"""AWS refuses a signature that is older or younger (IAM User Guide, "Signing AWS API requests")."""


@dataclass(frozen=True)
class Finding:
    """One check's outcome. `skipped` says why it could not be made; it is no failure of its own."""

    check: str
    state: State
    detail: str
    remedy: str = ""

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of one check."""
        return {**self.__dict__, "remedy": self.remedy or None}


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing failed."""
    return all(finding.state != "failed" for finding in findings)


def judge_clock(before: datetime, aws: datetime, after: datetime) -> Finding:
    """Compare AWS's clock, which shows whole seconds, with this machine's before and after it was asked."""
    ahead = before - (aws + timedelta(seconds=1))
    behind = aws - after
    skew = max(ahead, behind, timedelta())
    if not skew:
        return Finding("clock", "ok", "agrees with AWS's to the second")
    where = "ahead of" if ahead > behind else "behind"
    detail = f"{skew.total_seconds():.0f} s {where} AWS's; AWS takes {MOST_SKEW.seconds} s"
    if skew <= MOST_SKEW:
        return Finding("clock", "ok", detail)
    return Finding(
        "clock", "failed", detail, "set this machine's clock (`timedatectl set-ntp true`)"
    )


def judge_subnets(subnets: Sequence[SubnetFact], *, default: bool, region: str) -> Finding:
    """Say in which zones the VPC can take instances: the default one, or where not `default` the spec's."""
    if not subnets and default:
        remedy = "`aws ec2 create-default-vpc` makes one, or name another under access.vpc"
        return Finding("network", "failed", f"{region} has no default VPC with subnets", remedy)
    if not subnets:
        remedy = "correct access.vpc and access.subnets"
        return Finding("network", "failed", f"the spec's subnets are not in {region}", remedy)
    zones = ", ".join(sorted(f"{s.availability_zone} ({s.free_addresses} free)" for s in subnets))
    detail = f"{'default VPC ' if default else ''}{subnets[0].vpc_id}: {zones}"
    if any(subnet.free_addresses for subnet in subnets):
        return Finding("network", "ok", detail)
    remedy = "no subnet has a free address: remove what holds them"
    return Finding("network", "failed", detail, remedy)


def judge_limits(limits: Mapping[str, int | None], names: Mapping[str, str]) -> tuple[Finding, ...]:
    """Say for each quota code whether it allows anything at all; `names` are for people."""
    return tuple(_limit(names[code], code, limit) for code, limit in limits.items())


def _limit(name: str, code: str, limit: int | None) -> Finding:
    if limit:
        return Finding("quota", "ok", f"{name} ({code}): {limit} vCPUs")
    said = "not known here" if limit is None else "0 vCPUs, as in every new account"
    remedy = f"`fleet quota TYPE --request` asks AWS for more of {code}"
    return Finding("quota", "failed", f"{name} ({code}): {said}", remedy)


def judge_quotas(report: QuotaReport, *, spec: str) -> Finding:
    """Say whether the quotas hold what a spec asks for."""
    detail = "; ".join((*(str(check) for check in report.checks), *report.unchecked))
    if report.fits:
        return Finding("quota", "ok", detail)
    return Finding("quota", "failed", detail, f"`fleet quota {spec} --request` asks AWS for more")


def untried(declared: Iterable[str], tried: Iterable[str]) -> Finding:
    """Name the actions of the policy that cannot be tried without touching something."""
    left = sorted({*declared} - {*tried})
    return Finding(
        "permissions",
        "skipped",
        f"not tried, for that would touch something: {', '.join(left)}",
        "`fleet iam policy` lists them",
    )
