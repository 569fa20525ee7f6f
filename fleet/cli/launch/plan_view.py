"""Draws a plan for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

import click

from fleet.cli.output import usd
from fleet.plan.hardware.cost import for_hours
from fleet.plan.hardware.needs import describe_needs
from fleet.plan.launch.plan import Plan
from fleet.plan.tags import expiry_text
from fleet.spec.values import format_duration


def echo_plan(plan: Plan, *, now: datetime, err: bool) -> None:
    """Print the plan, one fact a line; with `err` on stderr, where it is confirmed and not the result."""
    click.secho(
        f"Plan for {plan.fleet} in {plan.region} (account {plan.account_id})", bold=True, err=err
    )
    for heading, text in _lines(plan, now=now):
        click.echo(f"  {heading:<10} {text}", err=err)
    for warning in plan.warnings:
        click.secho(f"  warning    {warning}", fg="yellow", err=err)


def _lines(plan: Plan, *, now: datetime) -> Iterator[tuple[str, str]]:
    volume = plan.spec.volume
    yield "image", f"{plan.image.image_id}  {plan.image.why}"
    if plan.spec.instances.by_need:
        yield "need", describe_needs(plan.spec.instances)
    for name in plan.spec.instances.types:
        if line := _type_line(plan, name):
            yield "type", line
    yield from _placement(plan)
    yield "market", ", then ".join(plan.markets)
    yield "volume", f"{volume.size_gib} GiB {volume.type}, encrypted, gone with its instance"
    yield "network", f"{plan.network.vpc_id}, {plan.network.access_path.words}"
    sources = sorted({rule.cidr for rule in plan.ingress})
    yield (
        "ports",
        f"{', '.join(map(str, plan.network.access_path.ports))} from {', '.join(sources)}",
    )
    yield from _members(plan)
    for check in plan.quotas.checks:
        if check.needed:
            yield "quota", str(check)
    yield "expires", _expiry(plan.expires_at, now)
    if plan.spec.idle is not None:
        yield "idle", f"terminated after {format_duration(plan.spec.idle)} without activity"
    if plan.spec.interruption.sync and "spot" in plan.markets:
        folders = (f"{folder} to {to}/MEMBER" for folder, to in plan.spec.interruption.sync)
        yield "saved", f"when EC2 takes a Spot Instance back: {', '.join(folders)}"
    yield from _price(plan, now)


def _members(plan: Plan) -> Iterator[tuple[str, str]]:
    for heading, names in (
        ("launch", [member.name for member in plan.members.launch]),
        ("start", [a.member.name for a in plan.members.start]),
        ("adopt", [f"{a.member.name} ({a.instance.instance_id})" for a in plan.members.adopt]),
        ("keep", [a.member.name for a in plan.members.keep]),
    ):
        if names:
            yield heading, f"{len(names)}: {_shortened(names)}"


def _type_line(plan: Plan, name: str) -> str:
    pools = [pool for pool in plan.pools if pool.instance_type == name]
    if not pools:
        return ""
    zones = ", ".join(pool.availability_zone.removeprefix(plan.region) for pool in pools)
    prices = []
    if "on-demand" in plan.markets:
        prices.append(f"On-Demand {usd(pools[0].on_demand_usd)}")
    if "spot" in plan.markets:
        spot = [pool.spot_usd for pool in pools if pool.spot_usd is not None]
        prices.append(f"Spot from {usd(min(spot, default=None))}")
    gpus = plan.gpus.get(name, 0)
    return f"{name}  {gpus} GPU{'' if gpus == 1 else 's'}  zones {zones}  {', '.join(prices)}"


def _placement(plan: Plan) -> Iterator[tuple[str, str]]:
    """Spot placement scores by zone: they hold for all types together."""
    scores = {p.availability_zone: p.spot_score for p in plan.pools if p.spot_score is not None}
    if scores:
        each = (f"{zone.removeprefix(plan.region)} {score}" for zone, score in scores.items())
        yield "placement", f"Spot scores of 10: {', '.join(each)}"
    for note in plan.placement_notes:
        yield "placement", note


def _shortened(names: list[str]) -> str:
    if len(names) <= 8:
        return ", ".join(names)
    return f"{', '.join(names[:3])} … {names[-1]}"


def _expiry(expires_at: datetime | None, now: datetime) -> str:
    if expires_at is None:
        return "never"
    return f"{expiry_text(expires_at)} (in {_hours(expires_at, now):.1f} h)"


def _hours(expires_at: datetime, now: datetime) -> Decimal:
    return Decimal(max((expires_at - now).total_seconds(), 0)) / 3600


def _price(plan: Plan, now: datetime) -> Iterator[tuple[str, str]]:
    """The parts an hour; then the sum an hour, a day and until expiry, of all and of each member."""
    cost = plan.cost
    low, high, most = usd(cost.instances), usd(cost.instances_at_most), cost.hourly_at_most
    instances = low if low == high else f"{low} to {high}"
    volumes, addresses = usd(cost.volumes), usd(cost.addresses)
    yield (
        "price",
        f"instances {instances}, volumes {volumes}, public addresses {addresses}",
    )
    sums = [usd(most), usd(for_hours(most, timedelta(days=1)), per="day")]
    parts = [usd(cost.each(most)), usd(cost.each(for_hours(most, timedelta(days=1))), per="day")]
    if plan.expires_at:
        whole = for_hours(most, max(plan.expires_at - now, timedelta(0)))
        sums.append(f"{usd(whole, per='')} until expiry")
        parts.append(f"{usd(cost.each(whole), per='')} until expiry")
    yield "in all", f"at most {', '.join(sums)}"
    if cost.count > 1:
        yield "a member", f"at most {', '.join(parts)}"
    for note in plan.price_notes:
        yield "prices", note
