"""`fleet recipe`."""

from __future__ import annotations

from pathlib import Path

import click

from fleet.cli.options import output_option
from fleet.cli.output import echo_json


@click.group("recipe", short_help="Check an image's recipe; print its JSON Schema.")
def command() -> None:
    """Work with recipes of images."""


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of a recipe, for editors.

    \b
    Example:
      fleet recipe schema > recipe.schema.json
      # first line of your recipe:  # yaml-language-server: $schema=recipe.schema.json
    """
    from fleet.recipe.table import RECIPE_FILE
    from fleet.spec.schema import json_schema

    echo_json(json_schema(RECIPE_FILE))


@command.command("check")
@click.argument("recipe", type=click.Path(path_type=Path))
@output_option("text", "json")
def check(*, recipe: Path, output: str) -> None:
    """Check RECIPE and what it names in its folder, and tell all its faults at once. Asks AWS nothing.

    \b
    Example:
      fleet recipe check amis/pytorch-team.yaml
      fleet recipe check amis/pytorch-team.yaml -o json
    """
    from fleet.assets.recipe_files import read_recipe, read_recipe_files

    wanted = read_recipe(recipe)
    files = read_recipe_files(recipe.parent, wanted)
    if output == "json":
        steps = [{"kind": each.kind, "title": each.title} for each in wanted.steps]
        tests = [{"kind": each.kind, "title": each.title} for each in wanted.tests]
        echo_json(
            {
                "name": wanted.name,
                "digest": wanted.digest(),
                "files_digest": files.digest,
                "steps": steps,
                "tests": tests,
            }
        )
        return
    count = f"{_counted(len(wanted.steps), 'step')}, {_counted(len(wanted.tests), 'test')}"
    click.echo(f"{recipe}: recipe {wanted.name}, {count}: no faults")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
