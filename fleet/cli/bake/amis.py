"""`fleet amis`."""

from __future__ import annotations

import click

from fleet.cli.bake.amis_arguments import image_or_recipe
from fleet.cli.bake.amis_changes import copy, deprecate, promote, rm, share
from fleet.cli.options import output_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_PARTLY


@click.group("amis", short_help="Look after the images that `bake` has made.")
def command() -> None:
    """Look after the images that `fleet bake` has made, in one region.

    Of each recipe one image is stable: `image: {name: RECIPE}` means that one. AMI is an image's id; where RECIPE
    may stand beside it, a recipe's name means its stable image.
    """


@command.command("ls", short_help="List baked images, with status, price, users.")
@click.argument("recipe", required=False)
@output_option("table", "json")
@click.pass_obj
def ls(options: Globals, *, recipe: str | None, output: str) -> None:
    """List baked images, the newest first: what they cost, whom they are shared with, and who uses them.

    \b
    Examples:
      fleet amis ls
      fleet amis ls pytorch-team -o json
    """
    from fleet.cli.bake.amis_view import echo_listed
    from fleet.workflows.bake.ami_reports import list_amis

    found = list_amis(open_context(options), recipe)
    if output == "json":
        echo_json(found.as_json())
    else:
        echo_listed(found, recipe)


@command.command("show", short_help="Show one image with what is on it.")
@click.argument("asked", metavar="AMI|RECIPE")
@click.option("--packages", is_flag=True, help="Every package with its version and size.")
@click.option("--all-regions", is_flag=True, help="Look for copies in every region of the account.")
@output_option("table", "json")
@click.pass_obj
def show(options: Globals, *, asked: str, packages: bool, all_regions: bool, output: str) -> int:
    """Show an image: what it was made of, when and how long it took, what is on it, and who has to do with it.

    \b
    Examples:
      fleet amis show pytorch-team
      fleet amis show ami-0123456789abcdef0 --packages
      fleet amis show pytorch-team --all-regions -o json
    """
    from fleet.cli.bake.amis_view import echo_shown
    from fleet.cli.progress import working
    from fleet.workflows.bake.ami_reports import show_ami

    context = open_context(options)
    with working("looking at the image"):
        shown = show_ami(context, image_or_recipe(asked), all_regions=all_regions)
    if output == "json":
        echo_json(shown.as_json(packages=packages))
    else:
        echo_shown(shown, packages=packages)
    for text in shown.unread:
        click.secho(f"not looked at: {text}", fg="red", err=True)
    return EXIT_PARTLY if shown.unread else EXIT_DONE


@command.command("diff", short_help="Compare two images by packages and sizes.")
@click.argument("before", metavar="AMI|RECIPE")
@click.argument("after", metavar="AMI|RECIPE")
@output_option("table", "json")
@click.pass_obj
def diff(options: Globals, *, before: str, after: str, output: str) -> None:
    """Show what changed from one image to another: packages that came, went, or have another version, with sizes.

    \b
    Examples:
      fleet amis diff ami-0123456789abcdef0 pytorch-team
      fleet amis diff ami-0123456789abcdef0 ami-0fedcba9876543210 -o json
    """
    from fleet.cli.bake.amis_view import echo_diff
    from fleet.workflows.bake.ami_reports import diff_amis

    asked = (image_or_recipe(before), image_or_recipe(after))
    found = diff_amis(open_context(options), *asked)
    if output == "json":
        echo_json(found.as_json())
    else:
        echo_diff(found)


for _change in (promote, share, copy, deprecate, rm):
    command.add_command(_change)
