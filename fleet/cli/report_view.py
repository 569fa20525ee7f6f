"""Prints environments as a table, JSON, CSV or Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from fleet.cli.output import echo_csv, echo_json, echo_markdown, echo_table, usd
from fleet.plan.report import Environment, FleetReport
from fleet.plan.tags import expiry_text

_URL_HEADINGS = ("member", "jupyter_url", "tensorboard_url")


def echo_urls(report: FleetReport, output: str) -> None:
    """Print each person's URLs."""
    if output == "json":
        echo_json(report.as_json())
        return
    rows = [_urls(environment) for environment in report.environments]
    if output == "csv":
        echo_csv(_URL_HEADINGS, rows)
    elif output == "markdown":
        echo_markdown(("Member", "Jupyter", "TensorBoard"), rows)
    else:
        headings = ("MEMBER", "STATE", "JUPYTER", "TENSORBOARD")
        states = [environment.state for environment in report.environments]
        echo_table(
            headings, [(row[0], state, *row[1:]) for row, state in zip(rows, states, strict=True)]
        )


def echo_status(report: FleetReport, output: str) -> None:
    """Print how each environment stands."""
    if output == "json":
        echo_json(report.as_json())
        return
    headings = (
        "MEMBER",
        "STATE",
        "INSTANCE",
        "TYPE",
        "MARKET",
        "ZONE",
        "ADDRESS",
        "PRICE",
        "EXPIRES",
        "REASON",
    )
    echo_table(headings, [_status(environment) for environment in report.environments])


def _urls(environment: Environment) -> tuple[str, str, str]:
    missing = environment.reason or environment.state
    return (
        environment.member or "-",
        environment.jupyter_url or f"({missing})",
        environment.tensorboard_url or "-",
    )


def _status(environment: Environment) -> Sequence[str]:
    return (
        environment.member or "-",
        environment.state,
        environment.instance_id or "-",
        environment.instance_type or "-",
        environment.market or "-",
        environment.availability_zone or "-",
        environment.address or "-",
        usd(environment.hourly_usd),
        expiry_text(environment.expires_at),
        environment.reason,
    )
