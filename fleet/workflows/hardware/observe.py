"""Observes what quotas are counted from, read at the same time. Changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleet.aws.clients import Aws
from fleet.aws.instance_types import describe_instance_types
from fleet.aws.quotas import describe_quota, describe_vcpus_in_use
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.hardware import InstanceTypeFact, Market, QuotaFacts
from fleet.plan.hardware.quota_codes import codes_to_ask
from fleet.side_by_side import SideBySide, side_by_side
from fleet.workflows.context import Context
from fleet.workflows.record.instances import fleet_instances

_AT_ONCE = 24


@dataclass(frozen=True)
class ObservedQuotas:
    """What quotas are counted from; `instances` are those of the fleet, if one was named."""

    instance_types: Mapping[str, InstanceTypeFact]
    instances: tuple[InstanceFact, ...]
    quotas: QuotaFacts


def observe_quotas(
    context: Context, *, types: Sequence[str], markets: Sequence[Market], fleet: str | None
) -> ObservedQuotas:
    """Observe quotas and what counts against them. Raises AwsError where they cannot be read."""
    aws = context.aws
    with side_by_side(_AT_ONCE) as reads:
        facts = reads.ask(describe_instance_types, aws, names=types)
        instances = reads.ask(lambda: fleet_instances(aws, fleet) if fleet else ())
        quotas = ask_quotas(reads, aws, types, markets)
        return ObservedQuotas(facts(), instances(), quotas())


def ask_quotas(
    reads: SideBySide, aws: Aws, types: Sequence[str], markets: Sequence[Market]
) -> Callable[[], QuotaFacts]:
    """Begin to read quotas and what counts against them; the answer raises AwsError where they cannot be read."""
    codes = codes_to_ask(types, markets)
    limits = {code: reads.ask(describe_quota, aws, code=code) for code in codes}
    in_use = reads.ask(describe_vcpus_in_use, aws)

    def answer() -> QuotaFacts:
        found = {code: limit() for code, limit in limits.items()}
        return QuotaFacts({c: value for c, value in found.items() if value is not None}, in_use())

    return answer
