"""What stands of a fleet when an `up` ends early: said with its price, whatever has gone wrong."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fleet.aws.leases import read_leases
from fleet.plan.launch.plan import Plan
from fleet.plan.money import total
from fleet.plan.record.lease import from_text
from fleet.workflows.context import Context
from fleet.workflows.launch.observe import observe_owned


@dataclass(frozen=True)
class PartialFleet:
    """How many instances run, USD per hour of them (None where one is unknown), and whether anything stands at all.

    `unanswered` says that a launch was sent whose answer nobody has heard: it may bring instances yet.
    """

    running: int
    hourly_usd: Decimal | None
    anything: bool
    unanswered: bool


def describe_partial_fleet(context: Context, plan: Plan) -> PartialFleet:
    """Look at what there is of a plan's fleet. Raises FleetError where AWS does not answer."""
    owned = observe_owned(context, plan.fleet)
    live = [i for i in owned.instances if i.live]
    running = [i for i in live if i.state in {"pending", "running"}]
    prices = (plan.price_of(i) if i.hourly_usd is None else i.hourly_usd for i in running)
    leases = (from_text(text) for text in read_leases(context.aws, fleet=plan.fleet).values())
    return PartialFleet(
        running=len(running),
        hourly_usd=total(prices),
        anything=owned.anything,
        unanswered=any(lease and lease.pending for lease in leases),
    )
