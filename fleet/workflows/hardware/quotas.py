"""Counts quotas without planning a launch, and asks AWS for more. Counting changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from fleet.aws.instance_types import describe_offerings
from fleet.aws.quotas import describe_open_request, request_quota
from fleet.errors import NotAuthorizedError, NotFoundError
from fleet.plan.facts.hardware import Market
from fleet.plan.hardware.pools import MARKETS
from fleet.plan.hardware.prices import known_prices
from fleet.plan.hardware.quota_choices import quota_choices
from fleet.plan.hardware.quotas import QuotaCheck, QuotaReport, QuotaRequest, Wanted, check_quotas
from fleet.plan.record.members import split_members
from fleet.side_by_side import side_by_side
from fleet.spec.model import FleetSpec, Instances
from fleet.workflows.context import Context
from fleet.workflows.hardware.observe import ObservedQuotas, observe_quotas
from fleet.workflows.hardware.prices import read_figures
from fleet.workflows.hardware.types import settle_types


@dataclass(frozen=True)
class QuotaAnswer:
    """What was counted for `count` new instances, and the open request for what the first choice lacks."""

    count: int
    report: QuotaReport
    open_request: QuotaRequest | None


def count_spec(context: Context, spec: FleetSpec) -> QuotaAnswer:
    """Count what a spec's fleet still needs: members that have an instance that runs cost nothing more.

    Types that the region does not offer, or that cost more than `max_price`, do not count, as in a plan.
    """
    spec = settle_types(context, spec)
    wished, aws = spec.instances, context.aws
    with side_by_side(2) as reads:
        offerings = reads.ask(describe_offerings, aws, names=wished.types)
        on_demand = reads.ask(_on_demand, context, wished) if wished.max_price else None
        observed = observe_quotas(
            context, types=wished.types, markets=MARKETS[wished.market], fleet=spec.name
        )
        _require_known(wished.types, observed, region=aws.region)
        choices = quota_choices(
            wished,
            offerings=offerings(),
            on_demand=on_demand() if on_demand else {},
            region=aws.region,
        )
    members = split_members(spec.members, observed.instances)
    wanted = Wanted(choices, len(members.launch), members.started_choices)
    return _count(context, observed, wanted)


def count_types(
    context: Context, types: Sequence[str], *, markets: Sequence[Market], count: int
) -> QuotaAnswer:
    """Count so many instances of types, in the order of preference."""
    observed = observe_quotas(context, types=types, markets=markets, fleet=None)
    _require_known(types, observed, region=context.aws.region)
    choices = tuple((name, market) for market in markets for name in types)
    return _count(context, observed, Wanted(choices, count))


def request_more(context: Context, check: QuotaCheck) -> QuotaRequest:
    """Ask AWS for the value that a check lacks."""
    return request_quota(context.aws, code=check.code, value=check.value)


def _on_demand(context: Context, wished: Instances) -> Mapping[str, Decimal]:
    figures, trouble = read_figures(context, types=wished.types)
    return known_prices(figures, {}, trouble=trouble).on_demand


def _require_known(types: Sequence[str], observed: ObservedQuotas, *, region: str) -> None:
    unknown = [name for name in types if name not in observed.instance_types]
    if unknown:
        raise NotFoundError(
            f"instance type {unknown[0]} does not exist in {region}",
            remedy="correct it, or choose another region",
        )


def _count(context: Context, observed: ObservedQuotas, wanted: Wanted) -> QuotaAnswer:
    report = check_quotas(wanted, observed.quotas, observed.instance_types)
    lacking = report.lacking
    if lacking is None:
        return QuotaAnswer(wanted.count, report, None)
    try:
        return QuotaAnswer(
            wanted.count, report, describe_open_request(context.aws, code=lacking.code)
        )
    except NotAuthorizedError as error:
        told = (*report.unchecked, f"whether a request is open is not known: {error.message}")
        return QuotaAnswer(wanted.count, replace(report, unchecked=told), None)
