"""Draws a bake's plan, and what came of it, for people."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import click

from fleet.cli.output import usd
from fleet.plan import tags
from fleet.plan.bake.plan import BakePlan
from fleet.plan.bake.report import BakeReport

_CONTINUED = {
    "steps": "goes on with the builder that stands, whose finished steps are not done twice",
    "sealed": "the builder that stands is sanitised already: its image is made",
    "sealing": "the builder that stands was left half sanitised: another one is launched",
    "stale": "the builder that stands is of another recipe: another one is launched",
}


def echo_bake_plan(plan: BakePlan, *, err: bool) -> None:
    """Print the plan, one fact a line; with `err` on stderr, where it is confirmed and not the result."""
    recipe, builder = plan.recipe, plan.builder
    where = f"{builder.region} (account {builder.account_id})"
    click.secho(f"Bake of {recipe.name} in {where}", bold=True, err=err)
    for heading, text in _lines(plan):
        click.echo(f"  {heading:<10} {text}", err=err)
    for warning in builder.warnings:
        click.secho(f"  warning    {warning}", fg="yellow", err=err)


def _lines(plan: BakePlan) -> Iterator[tuple[str, str]]:
    recipe, builder = plan.recipe, plan.builder
    yield "base", f"{plan.base.image_id}  {plan.base.why}"
    yield "content", plan.digest
    if plan.same is not None:
        yield "image", f"{plan.same.image_id}  {plan.same.name} ({_status(plan)})"
    if plan.bakes_nothing:
        return
    yield (
        "builder",
        f"{' or '.join(recipe.builder.instances.types) or 'by need'}, {', then '.join(builder.markets)}",
    )
    yield (
        "steps",
        _counted(len(recipe.steps), "step") + _named([step.title for step in recipe.steps]),
    )
    yield (
        "tests",
        _counted(len(recipe.tests), "test") + ", on the builder and on an instance of the image",
    )
    output = recipe.output
    if output.copy_to:
        yield "copies", ", ".join(output.copy_to)
    if output.share_with:
        yield "shared", f"with {', '.join(output.share_with)}"
    if output.deprecate_after is not None:
        yield "deprecated", f"after {output.deprecate_after.days} days"
    if output.keep is not None:
        yield "kept", f"the newest {output.keep}; older ones that nobody uses are removed"
    if plan.stage in _CONTINUED:
        yield "continued", _CONTINUED[plan.stage]
    yield "time", f"about {plan.expected_seconds / 60:.0f} min, {plan.expected_by}"
    yield "price", _price(plan)
    for note in builder.price_notes:
        yield "prices", note


def _price(plan: BakePlan) -> str:
    hourly, snapshot = plan.builder.hourly_usd_at_most, plan.snapshot_usd
    kept = "unknown" if snapshot is None else f"at most {usd(snapshot, per='month')}"
    return f"at most {usd(hourly)}, about {usd(plan.instances_usd, per='')} for the bake; the image's snapshot {kept}"


def _status(plan: BakePlan) -> str:
    status = plan.same.tags.get(tags.STATUS, "") if plan.same else ""
    return "not tried yet" if status == tags.CANDIDATE else status


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _named(titles: list[str]) -> str:
    shown = titles[:4]
    more = "" if len(titles) <= len(shown) else f" and {len(titles) - len(shown)} more"
    return f": {'; '.join(shown)}{more}" if shown else ""


def echo_bake(report: BakeReport) -> None:
    """Print the image, what was done for it, and what it leads to."""
    click.echo(f"{report.image_id}  {report.name}  {report.status}")
    for region, image_id in report.copies.items():
        click.echo(f"  copy      {image_id} in {region}")
    for region, why in report.trouble.items():
        click.secho(f"  no copy   in {region}: {why}", fg="red")
    if report.shared_with:
        click.echo(f"  shared    with {', '.join(report.shared_with)}")
    if report.deprecated_at:
        click.echo(f"  deprecated from {tags.expiry_text(report.deprecated_at)} on")
    for image_id in report.removed:
        click.echo(f"  removed   {image_id}")
    for image_id, why in report.kept.items():
        click.echo(f"  kept      {image_id}: {why}")


def minutes(seconds: int | Decimal) -> str:
    """Write a time in minutes and seconds."""
    whole, rest = divmod(int(seconds), 60)
    return f"{whole} min {rest:02d} s"
