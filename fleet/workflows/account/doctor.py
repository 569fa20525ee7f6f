"""`doctor`: looks whether this machine, these credentials and this region can make a fleet. Changes nothing.

Checks run at the same time; one that fails stops no other.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib import metadata

from fleet.aws.identity import describe_caller_cidr, describe_identity, describe_time
from fleet.aws.launch_templates import describe_all_launch_templates
from fleet.aws.parameters import read_secrets
from fleet.aws.quotas import describe_quota
from fleet.aws.subnets import describe_subnets
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.account.doctor import (
    Finding,
    judge_clock,
    judge_limits,
    judge_quotas,
    judge_subnets,
)
from fleet.plan.facts.hardware import MARKET_NAMES
from fleet.plan.hardware.quota_codes import family_of
from fleet.side_by_side import each_side_by_side
from fleet.spec.access import Access
from fleet.spec.model import FleetSpec
from fleet.ssh.keygen import generate_private_key
from fleet.ssh.keys import public_line
from fleet.ssh.openssh import openssh_version
from fleet.workflows.account.permissions import NAME as PERMISSIONS
from fleet.workflows.account.permissions import TYPE, examine_permissions
from fleet.workflows.context import Context
from fleet.workflows.hardware.quotas import count_spec

_Check = tuple[str, Callable[[], Sequence[Finding]]]


def examine_machine() -> tuple[Finding, ...]:
    """Check what needs neither AWS nor credentials."""
    return _run((("versions", _versions), ("SSH key", _key)))


def examine(context: Context, *, spec: FleetSpec | None, spec_name: str) -> tuple[Finding, ...]:
    """Check everything; without an identity that AWS accepts, what needs one is skipped aloud."""
    access = spec.access if spec else Access()
    for_all: tuple[_Check, ...] = (
        ("clock", lambda: _clock(context)),
        ("your address", lambda: _address(context)),
    )
    for_known: tuple[_Check, ...] = (
        ("network", lambda: _network(context, access)),
        ("quota", lambda: _quota(context, spec, spec_name)),
        ("secrets", lambda: _secrets(context)),
        (PERMISSIONS, lambda: examine_permissions(context.aws, access)),
    )
    # First, and alone: without it most others are not worth trying.
    (identity,) = _outcome(("identity", lambda: _identity(context)))
    found = (*examine_machine(), identity, *_run(for_all))
    if identity.state == "ok":
        return (*found, *_run(for_known))
    why = "needs an identity that AWS accepts"
    return (*found, *(Finding(name, "skipped", why) for name, _ in for_known))


def _run(checks: Sequence[_Check]) -> tuple[Finding, ...]:
    """Run checks at the same time; gives their findings in the checks' order."""
    outcomes = each_side_by_side(_outcome, checks, at_once=len(checks))
    return tuple(finding for found in outcomes for finding in found)


def _outcome(check: _Check) -> Sequence[Finding]:
    name, look = check
    try:
        return look()
    except FleetError as error:
        return [Finding(name, "failed", error.message, error.remedy)]


def _versions() -> list[Finding]:
    names = (("fleet", "dl-fleet"), ("boto3", "boto3"), ("paramiko", "paramiko"))
    ours = (f"{name} {metadata.version(package)}" for name, package in names)
    ssh = openssh_version() or "no OpenSSH client, which `fleet ssh` needs"
    detail = ", ".join((*ours, f"Python {platform.python_version()}", ssh))
    return [Finding("versions", "ok", detail)]


def _key() -> list[Finding]:
    kind = public_line(generate_private_key()).split()[0]
    return [Finding("SSH key", "ok", f"{kind} keys can be made and read here")]


def _identity(context: Context) -> list[Finding]:
    identity = describe_identity(context.aws)
    return [Finding("identity", "ok", f"{identity.arn}, region {context.aws.region}")]


def _clock(context: Context) -> list[Finding]:
    before = context.now()
    told = describe_time(context.aws)
    return [judge_clock(before, told, context.now())]


def _address(context: Context) -> list[Finding]:
    cidr = describe_caller_cidr(context.settings.checkip_url)
    return [Finding("your address", "ok", f"{cidr}, where `access.from: [me]` lets people in from")]


def _network(context: Context, access: Access) -> list[Finding]:
    found = describe_subnets(context.aws, vpc_id=access.vpc, subnet_ids=access.subnets)
    default = access.vpc is None and not access.subnets
    return [judge_subnets(found, default=default, region=context.aws.region)]


def _quota(context: Context, spec: FleetSpec | None, spec_name: str) -> Sequence[Finding]:
    if spec is not None:
        return [judge_quotas(count_spec(context, spec).report, spec=spec_name)]
    family = family_of(TYPE)
    assert family is not None  # noqa: S101 - the table of families has it
    names = {
        code: f"{MARKET_NAMES[market]} {family.name}"
        for market in MARKET_NAMES
        for code in family.codes(market)
    }
    limits = {code: describe_quota(context.aws, code=code) for code in names}
    return judge_limits(limits, names)


def _secrets(context: Context) -> list[Finding]:
    """Read the SecureStrings of a fleet that is there; where none is, the path alone can be tried."""
    fleets = describe_all_launch_templates(context.aws)
    if read_secrets(context.aws, fleet=fleets[0] if fleets else "doctor"):
        detail = f"SecureStrings of fleet {fleets[0]} can be read and decrypted"
    else:
        detail = f"{tags.PARAMETER_ROOT}/ may be read; no SecureString is there yet to decrypt"
    return [Finding("secrets", "ok", detail)]
