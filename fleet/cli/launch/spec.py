"""`fleet spec`."""

from __future__ import annotations

from pathlib import Path

import click

from fleet.cli.output import echo_json


@click.group("spec", short_help="Check a spec; print its JSON Schema.")
def command() -> None:
    """Work with specs."""


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of a spec, for editors.

    \b
    Example:
      fleet spec schema > fleet.schema.json
      # first line of your spec:  # yaml-language-server: $schema=fleet.schema.json
    """
    from fleet.spec.schema import json_schema
    from fleet.spec.table import SPEC_FILE

    echo_json(json_schema(SPEC_FILE))


@command.command("check")
@click.argument("spec", type=click.Path(path_type=Path))
def check(*, spec: Path) -> None:
    """Check SPEC and tell all its faults at once. Asks AWS nothing.

    \b
    Example:
      fleet spec check workshop.yaml
    """
    from fleet.assets.spec_files import read_spec
    from fleet.spec.load import Overrides

    wanted = read_spec(spec, overrides=Overrides())
    click.echo(f"{spec}: fleet {wanted.name}, {len(wanted.members)} members: no faults")
