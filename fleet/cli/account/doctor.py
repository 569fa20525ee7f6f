"""`fleet doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json, echo_table
from fleet.cli.session import Globals, open_context
from fleet.cli.spec_flags import Flags, read_wanted
from fleet.errors import EXIT_DONE, EXIT_FAILED, FleetError

if TYPE_CHECKING:
    from fleet.plan.account.doctor import Finding
    from fleet.spec.model import FleetSpec


@click.command("doctor", short_help="Check credentials, permissions, quotas, network and clock.")
@click.argument("spec", type=click.Path(path_type=Path), required=False)
@output_option("table", "json")
@click.pass_obj
def command(options: Globals, *, spec: Path | None, output: str) -> int:
    """Check whether a fleet can be made from here: each line is ok, or says what to do.

    Changes nothing: permissions are tried by reading and by EC2's DryRun, and what cannot be tried so is named. With a
    SPEC its quotas are counted, else whether any GPU instance is allowed. Exit code 1 where a check failed.

    \b
    Examples:
      fleet doctor
      fleet doctor workshop.yaml -o json
      fleet --sandbox doctor
    """
    from fleet.cli.progress import working
    from fleet.plan.account.doctor import healthy

    wanted = read_wanted(options, spec, Flags(None, None, None, None, None)) if spec else None
    with working("looking"):
        findings = _examine(options, wanted, spec)
    if output == "json":
        echo_json([finding.as_json() for finding in findings])
    else:
        _echo(findings)
    return EXIT_DONE if healthy(findings) else EXIT_FAILED


def _examine(options: Globals, wanted: FleetSpec | None, spec: Path | None) -> tuple[Finding, ...]:
    from fleet.plan.account.doctor import Finding
    from fleet.workflows.account.doctor import examine, examine_machine

    try:
        context = open_context(options, spec_region=wanted.region if wanted else None)
    except FleetError as error:
        refused = Finding("AWS session", "failed", error.message, error.remedy)
        rest = Finding("AWS", "skipped", "is not asked without one")
        return (*examine_machine(), refused, rest)
    return examine(context, spec=wanted, spec_name=str(spec))


def _echo(findings: tuple[Finding, ...]) -> None:
    rows = [
        (f.check, f.state, f"{f.detail}: {f.remedy}" if f.remedy else f.detail) for f in findings
    ]
    echo_table(("CHECK", "STATE", "WHAT"), rows)
