"""Makes an image of an instance and waits until it is there, telling how far its snapshots are.

CreateImage takes no ClientToken. The name is the account's only one in the region: a call whose answer was lost has
either made the image of that name or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fleet.aws.own_images import create_image, describe_progress
from fleet.aws.snapshots import delete_snapshot, deregister_image
from fleet.errors import AwsError, FleetError, InUseError, NameTakenError
from fleet.plan.facts.images import ImageProgress
from fleet.workflows.context import Context
from fleet.workflows.retrying import FIRST_WAIT, send_again_if_lost

_POLL_SECONDS = 2.0
_REMOVE_SENDINGS = 10


def make_or_find(
    context: Context,
    find: Callable[[], str | None],
    *,
    instance_id: str,
    name: str,
    description: str,
    tags: Mapping[str, str],
    no_reboot: bool = False,
) -> str:
    """Make an image, or `find` the one that a lost answer has made; gives its id.

    Raises NameTakenError where an image that is not this one has the name.
    """
    context.tell(None, "image", "running", name)
    try:
        return send_again_if_lost(
            context,
            lambda: create_image(
                context.aws,
                instance_id=instance_id,
                name=name,
                description=description,
                tags=tags,
                no_reboot=no_reboot,
            ),
        )
    except NameTakenError:
        deadline = context.clock() + context.deadlines.visible
        while (found := find()) is None:
            if context.clock() >= deadline:
                raise
            context.sleep(FIRST_WAIT)
        context.tell(None, "image", "note", f"{found} was begun already")
        return found


def wait_until_available(
    context: Context,
    image_id: str,
    *,
    step: str = "snapshot",
    again: str = "run `fleet bake` again",
) -> ImageProgress:
    """Wait for an image, and tell its percentage as `step`; `again` is the remedy of what can go wrong.

    Raises FleetError where it fails, vanishes, or is not there by the deadline.

    One that has failed is removed, with what there is of its snapshots.
    """
    began = context.clock()
    told: str | None = None
    seen = False
    while True:
        progress = describe_progress(context.aws, image_id=image_id)
        if progress.state == "available":
            context.tell(None, step, "done", image_id)
            return progress
        if progress.state not in {"", "pending"}:
            raise _failed(context, image_id, progress, again=again)
        seen = seen or progress.state != ""
        waited = context.clock() - began
        if not progress.state and (seen or waited >= context.deadlines.visible):
            raise FleetError(f"image {image_id} is not there any more", remedy=again)
        if waited >= context.deadlines.image:
            raise FleetError(
                f"image {image_id} is still {progress.state} after {waited / 60:.0f} min",
                remedy=f"{again}, which goes on waiting for it",
            )
        words = "pending" if progress.percent is None else f"{progress.percent}%"
        if words != told:
            context.tell(None, step, "running", words)
        told = words
        context.sleep(_POLL_SECONDS)


def _failed(context: Context, image_id: str, progress: ImageProgress, *, again: str) -> FleetError:
    why = f" ({progress.reason})" if progress.reason else ""
    said = f"image {image_id} is {progress.state}{why}"
    try:
        remove_image(context, image_id, progress.snapshot_ids)
    except AwsError as error:
        return FleetError(f"{said}, and could not be removed: {error.message}", remedy=error.remedy)
    return FleetError(f"{said}; it is removed", remedy=again)


def remove_image(context: Context, image_id: str, snapshot_ids: tuple[str, ...]) -> None:
    """Deregister an image, then delete its snapshots, which EC2 may hold on to for a moment. Raises AwsError."""
    deregister_image(context.aws, image_id=image_id)
    for snapshot_id in snapshot_ids:
        for sending in range(_REMOVE_SENDINGS):
            try:
                delete_snapshot(context.aws, snapshot_id=snapshot_id)
                break
            except InUseError:
                if sending == _REMOVE_SENDINGS - 1:
                    raise
                context.sleep(FIRST_WAIT * 2)
