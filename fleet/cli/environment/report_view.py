"""Prints environments as a table, JSON, CSV or Markdown."""

from __future__ import annotations

from collections.abc import Sequence

import click

from fleet.cli.output import echo_csv, echo_json, echo_markdown, echo_table
from fleet.plan.environment.report import Environment, FleetReport
from fleet.plan.tags import expiry_text

_URL_HEADINGS = ("member", "jupyter_url", "tensorboard_url")


def echo_urls(report: FleetReport, output: str) -> None:
    """Print each person's URLs, and on stderr what they need besides."""
    if any(environment.inside_ssh for environment in report.environments):
        click.echo(f"the links open inside `fleet tunnel {report.fleet} MEMBER`", err=True)
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


def echo_proofs(report: FleetReport, output: str) -> None:
    """Print the receipt of each environment: statuses without/with the token, certificate, cell, GPUs."""
    if output == "json":
        receipts = [environment.receipt_as_json() for environment in report.environments]
        echo_json({**report.as_json(), "environments": receipts})
        return
    headings = ("MEMBER", "STATE", "PROVEN", "8888", "6006", "CERTIFICATE", "CELL", "GPUS")
    echo_table(headings, [_proof(environment) for environment in report.environments])


def _proof(environment: Environment) -> Sequence[str]:
    shown = environment.proof
    head = (environment.member or "-", environment.state)
    if shown is None:
        return (*head, "not yet", "-", "-", "-", "-", "-")
    until = expiry_text(shown.certified_until) if shown.certified_until else "none: inside SSH"
    services = (_statuses(shown.jupyter), _statuses(shown.tensorboard))
    return (*head, expiry_text(shown.at), *services, until, "executed", str(shown.gpus))


def _statuses(pair: str) -> str:
    without, _, with_token = pair.partition("/")
    return f"refused {without}, with token {with_token}"


def _urls(environment: Environment) -> tuple[str, str, str]:
    missing = environment.reason or environment.state
    return (
        environment.member or "-",
        environment.jupyter_url or f"({missing})",
        environment.tensorboard_url or "-",
    )
