"""Counts quotas without planning a launch, and asks AWS for more. Counting changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.aws.quotas import describe_open_request, request_quota
from fleet.errors import NotFoundError
from fleet.plan.facts import Market
from fleet.plan.launch import Split, split_members, started_choices
from fleet.plan.pools import MARKETS
from fleet.plan.quotas import QuotaCheck, QuotaReport, QuotaRequest, Wanted, check_quotas
from fleet.spec.model import FleetSpec
from fleet.workflows.context import Context
from fleet.workflows.observe import ObservedQuotas, observe_quotas
from fleet.workflows.planning import settle_types


@dataclass(frozen=True)
class QuotaAnswer:
    """What was counted for `count` new instances, and the open request for what the first choice lacks."""

    count: int
    report: QuotaReport
    open_request: QuotaRequest | None


def count_spec(context: Context, spec: FleetSpec) -> QuotaAnswer:
    """Count what a spec's fleet still needs: members that have an instance that runs cost nothing more."""
    spec = settle_types(context, spec)
    types, markets = spec.instances.types, MARKETS[spec.instances.market]
    observed = observe_quotas(context, types=types, markets=markets, fleet=spec.name)
    split = split_members(spec.members, observed.instances)
    return _count(context, observed, types, markets, count=len(split.launch), split=split)


def count_types(
    context: Context, types: Sequence[str], *, markets: Sequence[Market], count: int
) -> QuotaAnswer:
    """Count so many instances of types, in the order of preference."""
    observed = observe_quotas(context, types=types, markets=markets, fleet=None)
    return _count(context, observed, types, markets, count=count, split=None)


def request_more(context: Context, check: QuotaCheck) -> QuotaRequest:
    """Ask AWS for the value that a check lacks."""
    return request_quota(context.aws, code=check.code, value=check.value)


def _count(
    context: Context,
    observed: ObservedQuotas,
    types: Sequence[str],
    markets: Sequence[Market],
    *,
    count: int,
    split: Split | None,
) -> QuotaAnswer:
    unknown = [name for name in types if name not in observed.instance_types]
    if unknown:
        raise NotFoundError(
            f"instance type {unknown[0]} does not exist in {context.aws.region}",
            remedy="correct it, or choose another region",
        )
    choices = tuple((name, market) for market in markets for name in types)
    wanted = Wanted(choices, count, started_choices(split) if split else ())
    report = check_quotas(wanted, observed.quotas, observed.instance_types)
    lacking = report.lacking
    request = describe_open_request(context.aws, code=lacking.code) if lacking else None
    return QuotaAnswer(count, report, request)
