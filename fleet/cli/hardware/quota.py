"""`fleet quota`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.options import confirm, output_option, yes_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context
from fleet.cli.spec_flags import Flags, read_wanted
from fleet.errors import EXIT_DONE, EXIT_FAILED, UsageError

if TYPE_CHECKING:
    from fleet.plan.hardware.quotas import QuotaCheck, QuotaReport, QuotaRequest
    from fleet.workflows.context import Context
    from fleet.workflows.hardware.quotas import QuotaAnswer


@click.command("quota", short_help="Count vCPUs against the account's quotas; ask for more.")
@click.argument("items", nargs=-1, required=True, metavar="SPEC|TYPE...")
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="So many instances.")
@click.option(
    "--market",
    type=click.Choice(("on-demand", "spot", "spot-first")),
    help="Where to count [default: the spec's, for types on-demand].",
)
@click.option("--request", is_flag=True, help="Ask AWS for what the first choice lacks.")
@yes_option
@output_option("table", "json")
@click.pass_obj
def command(
    options: Globals,
    *,
    items: tuple[str, ...],
    count: int | None,
    market: str | None,
    request: bool,
    yes: bool,
    output: str,
) -> int:
    """Count the vCPUs of a SPEC, or of instances of TYPE..., against the account's quotas.

    Types stand in the order of preference, as in a spec: it fits where one of them fits. Exit code 0
    when it fits or was requested, 1 when not. What is stopped does not count.

    \b
    Examples:
      fleet quota workshop.yaml
      fleet quota --count 20 --market spot g5.xlarge g6.xlarge
      fleet quota workshop.yaml --request
    """
    context, answer = _answer(options, items, count=count, market=market)
    lacking, asked = answer.report.lacking, answer.open_request
    filed = False
    if request and lacking and asked is None:
        confirm(f"Ask AWS to raise {lacking.label} to {lacking.value}?", yes=yes, options=options)
        from fleet.workflows.hardware.quotas import request_more

        asked, filed = request_more(context, lacking), True
    _echo(answer.report, lacking, asked, filed=filed, output=output)
    enough = request and lacking and asked and asked.value >= lacking.value
    return EXIT_DONE if answer.report.fits or enough else EXIT_FAILED


def _answer(
    options: Globals, items: tuple[str, ...], *, count: int | None, market: str | None
) -> tuple[Context, QuotaAnswer]:
    files = [item for item in items if item.endswith((".yaml", ".yml")) or Path(item).is_file()]
    if files and len(items) > 1:
        raise UsageError(f"{files[0]} stands beside others", remedy="name one SPEC, or types")
    if files:
        flags = Flags(count=count, market=market, types=None, expires=None, min_ready=None)
        spec = read_wanted(options, Path(files[0]), flags)
        from fleet.workflows.hardware.quotas import count_spec  # past the spec's faults

        context = open_context(options, spec_region=spec.region)
        return context, count_spec(context, spec)
    for item in items:
        _require_type(item)
    from fleet.plan.hardware.pools import MARKETS
    from fleet.workflows.hardware.quotas import count_types

    context = open_context(options)
    markets = MARKETS[market or "on-demand"]
    return context, count_types(context, items, markets=markets, count=count or 1)


def _require_type(item: str) -> None:
    from fleet.spec.refusal import shown
    from fleet.spec.rules import INSTANCE_TYPE_PATTERN

    if not re.fullmatch(INSTANCE_TYPE_PATTERN, item):
        raise UsageError(
            f"{shown(item)} is neither a spec that is there nor an instance type",
            remedy="name a file such as workshop.yaml, or types such as g5.xlarge",
        )


def _echo(
    report: QuotaReport,
    lacking: QuotaCheck | None,
    asked: QuotaRequest | None,
    *,
    filed: bool,
    output: str,
) -> None:
    if output == "json":
        echo_json(_as_json(report, asked, filed=filed))
    else:
        _echo_table(report)
    for text in report.unchecked:
        click.secho(text, fg="yellow", err=True)
    if lacking and lacking.limit == 0:
        click.echo(
            f"{lacking.code} is 0, as in every new account: AWS raises it on request", err=True
        )
    if asked:
        verb = "asked AWS for" if filed else "a request is open already, for"
        click.echo(f"{asked.code}: {verb} {asked.value} vCPUs ({asked.status})", err=True)
    elif lacking:
        click.echo(f"{lacking.code}: --request asks AWS for {lacking.value} vCPUs", err=True)


def _echo_table(report: QuotaReport) -> None:
    if not report.checks:
        return
    echo_table(
        ("QUOTA", "FAMILY", "MARKET", "TYPES", "USED", "NEEDED", "LIMIT", "MISSING", "ASK FOR"),
        [
            (
                c.code,
                c.name,
                c.market,
                ", ".join(c.instance_types),
                *map(str, (c.used, c.needed, c.limit, c.missing)),
                "-" if c.fits else str(c.value),
            )
            for c in report.checks
        ],
    )


def _as_json(report: QuotaReport, asked: QuotaRequest | None, *, filed: bool) -> dict[str, object]:
    from fleet.plan.hardware.quotas import check_as_json

    request = None
    if asked:
        request = {"id": asked.request_id, "code": asked.code, "value": asked.value}
        request |= {"status": asked.status, "filed_now": filed}
    return {
        "fits": report.fits,
        "quotas": [check_as_json(check) for check in report.checks],
        "unchecked": list(report.unchecked),
        "request": request,
    }
