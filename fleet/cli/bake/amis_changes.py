"""`fleet amis promote | share | copy | deprecate | rm`: what changes something."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from fleet.cli.bake.amis_arguments import account_flags, check_copy, image_argument, parts_of
from fleet.cli.options import confirm, output_option, parse_flag, yes_option
from fleet.cli.output import echo_json
from fleet.cli.session import Globals, open_context
from fleet.errors import EXIT_DONE, EXIT_FAILED, EXIT_PARTLY, UsageError

if TYPE_CHECKING:
    from fleet.workflows.bake.amis import Promotion

_LONGEST = timedelta(days=3650)
"""EC2 takes no later deprecation of an image of one's own than in 10 years."""


@click.command("promote", short_help="Let a recipe's name mean an image; --back.")
@click.argument("image_id", metavar="[AMI]", required=False)
@click.option("--back", metavar="RECIPE", help="Go back to the image that was stable before.")
@yes_option
@output_option("table", "json")
@click.pass_obj
def promote(
    options: Globals, *, image_id: str | None, back: str | None, yes: bool, output: str
) -> None:
    """Let a recipe's name mean image AMI from now on. Fleets that live keep theirs.

    Only an image that has passed its try-out can be promoted. `--back` given twice is where it began.

    \b
    Examples:
      fleet amis promote ami-0123456789abcdef0
      fleet amis promote --back pytorch-team
    """
    from fleet.workflows.bake.amis import prepare_promotion, prepare_rollback
    from fleet.workflows.bake.amis import promote as apply

    if (image_id is None) == (back is None):
        raise UsageError(
            "promote takes an AMI, or --back with a recipe", remedy="write one of the two"
        )
    asked = image_argument(image_id) if image_id else None
    context = open_context(options)
    promotion = prepare_promotion(context, asked) if asked else prepare_rollback(context, str(back))
    if not promotion.done:
        _say(promotion)
        confirm("Promote it?", yes=yes, options=options)
        apply(context, promotion.image.image_id)
    if output == "json":
        echo_json(promotion.as_json())
        return
    already = " already" if promotion.done else ""
    click.echo(f"{promotion.recipe} means {promotion.image.image_id}{already}")


def _say(promotion: Promotion) -> None:
    before = promotion.before
    was = f"it means {before.image_id} ({before.name})" if before else "it means none"
    image = promotion.image
    click.echo(
        f"{promotion.recipe} is to mean {image.image_id} ({image.name}); now {was}", err=True
    )


@click.command("share", short_help="Let other accounts launch an image.")
@click.argument("image_id", metavar="AMI")
@click.option(
    "--with", "add", metavar="ACCOUNT", multiple=True, help="Let these accounts launch it."
)
@click.option("--stop", "remove", metavar="ACCOUNT", multiple=True, help="Let these no longer.")
@output_option("table", "json")
@click.pass_obj
def share(
    options: Globals, *, image_id: str, add: tuple[str, ...], remove: tuple[str, ...], output: str
) -> None:
    """Let other accounts launch image AMI, or no longer. ACCOUNT is 12 digits; several with commas.

    They see none of its tags: a recipe's name means nothing there, and they use the id.

    \b
    Examples:
      fleet amis share ami-0123456789abcdef0 --with 111122223333,444455556666
      fleet amis share ami-0123456789abcdef0 --stop 111122223333
    """
    from fleet.workflows.bake.amis import share as apply

    asked = image_argument(image_id)
    added, removed = account_flags("--with", add), account_flags("--stop", remove)
    if both := sorted({*added} & {*removed}):
        raise UsageError(f"--with and --stop both name {both[0]}", remedy="keep one of them")
    if not added and not removed:
        raise UsageError("nobody is named", remedy="write --with ACCOUNT or --stop ACCOUNT")
    accounts = apply(open_context(options), asked, add=added, remove=removed)
    if output == "json":
        echo_json({"image_id": asked, "shared_with": list(accounts)})
    else:
        click.echo(f"{asked} is shared with {', '.join(accounts) or 'nobody'}")


@click.command("copy", short_help="Copy an image to other regions.")
@click.argument("image_id", metavar="AMI")
@click.option(
    "--to", "regions", metavar="REGION", multiple=True, required=True, help="Copy to these regions."
)
@click.option("--encrypted", is_flag=True, help="Encrypt the copies, with EBS's own key.")
@click.option("--kms-key", metavar="KEY", help="Encrypt the copies with this key of their region.")
@output_option("table", "json")
@click.pass_obj
def copy(
    options: Globals,
    *,
    image_id: str,
    regions: tuple[str, ...],
    encrypted: bool,
    kms_key: str | None,
    output: str,
) -> int:
    """Copy image AMI with its list of packages to other regions, and wait for it. Several regions with commas.

    Where the image is the stable one of its recipe, so are its copies. A copy that is there already is left as it
    is; one that was begun is waited for.

    \b
    Examples:
      fleet amis copy ami-0123456789abcdef0 --to eu-west-1,us-west-2
      fleet amis copy ami-0123456789abcdef0 --to eu-west-1 --kms-key alias/team
    """
    from fleet.aws.clients import resolve_region
    from fleet.cli.bake.amis_view import echo_copies
    from fleet.cli.interrupts import interruptible
    from fleet.cli.progress import progress
    from fleet.spec.rules import kms_key as parse_key
    from fleet.workflows.bake.ami_copies import copy_each
    from fleet.workflows.images.lineage import find_image

    asked, places = image_argument(image_id), parts_of(regions)
    key = parse_flag("--kms-key", kms_key, parse_key)
    context = open_context(options)
    for place in places:
        check_copy(resolve_region(context.aws.session, place), home=context.aws.region, key=key)
    image = find_image(context, asked)
    left = f"EC2 goes on copying: `{options.command} amis copy {asked} …` waits for it again"
    with interruptible(left):
        try:
            with progress() as on_event:
                telling = dataclasses.replace(context, on_event=on_event)
                copies = copy_each(telling, image, places, encrypted=encrypted, kms_key=key)
        except KeyboardInterrupt:
            click.echo(left, err=True)
            raise
    if output == "json":
        echo_json({"image_id": asked, "copies": [each.as_json() for each in copies]})
    else:
        echo_copies(copies)
    failed = [each for each in copies if each.trouble]
    if not failed:
        return EXIT_DONE
    return EXIT_FAILED if len(failed) == len(copies) else EXIT_PARTLY


@click.command("deprecate", short_help="Say from when on an image is old.")
@click.argument("image_id", metavar="AMI")
@click.option("--after", metavar="90d", help="From so long from now on.")
@click.option("--never", is_flag=True, help="No longer.")
@output_option("table", "json")
@click.pass_obj
def deprecate(
    options: Globals, *, image_id: str, after: str | None, never: bool, output: str
) -> None:
    """Say from when on image AMI is old. It can be launched still; plans warn, and other accounts no longer find it.

    \b
    Examples:
      fleet amis deprecate ami-0123456789abcdef0 --after 90d
      fleet amis deprecate ami-0123456789abcdef0 --never
    """
    from fleet.plan.tags import expiry_text
    from fleet.spec.values import parse_duration
    from fleet.workflows.bake.amis import deprecate as apply

    asked = image_argument(image_id)
    duration = parse_flag("--after", after, parse_duration)
    if (duration is None) != never:
        raise UsageError("deprecate takes --after or --never", remedy="write one of the two")
    if duration is not None and not timedelta(minutes=1) <= duration <= _LONGEST:
        raise UsageError(
            f"--after is {after}, and EC2 takes a minute to 10 years", remedy="write it like 90d"
        )
    context = open_context(options)
    at = context.now() + duration if duration else None
    apply(context, asked, at=at)
    if output == "json":
        echo_json({"image_id": asked, "deprecated_at": expiry_text(at) if at else None})
    else:
        click.echo(f"{asked} is deprecated {f'from {expiry_text(at)} on' if at else 'never'}")


@click.command("rm", short_help="Remove images with their snapshots.")
@click.argument("image_ids", metavar="AMI...", nargs=-1, required=True)
@click.option(
    "--retire",
    is_flag=True,
    help="The stable one too, where all images of its recipe are named: its name means none then.",
)
@yes_option
@output_option("table", "json")
@click.pass_obj
def rm(
    options: Globals, *, image_ids: tuple[str, ...], retire: bool, yes: bool, output: str
) -> None:
    """Remove images, each with its snapshots and its list of packages; all of them or none.

    Not the stable one of a recipe, and none that an instance or a launch template uses. What a removal that was
    broken off has left is removed too.

    \b
    Examples:
      fleet amis rm ami-0123456789abcdef0
      fleet amis rm ami-0123456789abcdef0 ami-0fedcba9876543210 --yes
      fleet amis rm --retire ami-0123456789abcdef0
    """
    from fleet.cli.bake.amis_view import echo_removal
    from fleet.cli.progress import progress
    from fleet.workflows.bake.amis import apply_removal, prepare_removal

    asked = [image_argument(image_id) for image_id in image_ids]
    context = open_context(options)
    removal = prepare_removal(context, asked, retire=retire)
    echo_removal(removal, region=context.aws.region)
    confirm("Remove all of it?", yes=yes, options=options)
    with progress() as on_event:
        apply_removal(dataclasses.replace(context, on_event=on_event), removal)
    if output == "json":
        echo_json(removal.as_json())
    else:
        click.echo(f"removed: {', '.join([*removal.image_ids, *removal.snapshot_ids])}")
