"""Copies a baked image to other regions, side by side: leaves what is there, goes on with what a crash began.

A copy carries the tags of the image, so that its recipe's name means the same there; its manifest goes along.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fleet.aws.manifests import read_manifest, write_manifest
from fleet.aws.own_images import copy_image, describe_progress
from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.lineage import is_copy, recipe_of, require_available
from fleet.side_by_side import each_side_by_side
from fleet.workflows.bake.image import remove_image, wait_until_available
from fleet.workflows.context import Context
from fleet.workflows.images.lineage import in_region, put_image_tags, read_lineage, supersede
from fleet.workflows.retrying import FIRST_WAIT, send_again_if_lost

_AGAIN = "run the same command again"
_AT_ONCE = 8
_TOKENS = 3
"""Copies that were asked for and are gone again are told by their token's answer: so many are passed over."""


@dataclass(frozen=True)
class Copied:
    """A copy in one region. `made` tells whether it was not there before; `trouble` why there is none, else empty."""

    region: str
    image_id: str
    made: bool
    trouble: str = ""

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "region": self.region,
            "image_id": self.image_id or None,
            "made": self.made,
            "trouble": self.trouble or None,
        }


def copy_each(
    context: Context,
    image: ImageFact,
    regions: Sequence[str],
    *,
    encrypted: bool = False,
    kms_key: str | None = None,
) -> tuple[Copied, ...]:
    """Copy an image to regions and wait until the copies are there; a region's failure stops no other one.

    A key of KMS encrypts even without `encrypted`; a copy of an encrypted image is encrypted anyway.
    """
    require_available(image)
    lineage = read_lineage(context, recipe_of(image))
    values = {**_own_tags(image), tags.STATUS: lineage.status(image)}
    parts = read_manifest(context.aws, image_id=image.image_id)
    wanted = _Wanted(
        image, context.aws.region, values, parts, encrypted=encrypted or bool(kms_key), key=kms_key
    )
    places = [in_region(context, region) for region in dict.fromkeys(regions)]
    # Not waited for: after an interrupt each ends at its next step, and EC2 goes on copying.
    return each_side_by_side(
        lambda place: _Copy(place, wanted).run(),
        places,
        at_once=_AT_ONCE,
        wait_on_error=False,
        on_error=context.interrupted.set,
    )


@dataclass(frozen=True)
class _Wanted:
    """What every region is to have."""

    image: ImageFact
    region: str
    tags: dict[str, str]
    manifest: tuple[str, ...]
    encrypted: bool
    key: str | None

    def token(self, region: str, number: int) -> str:
        """Identify one copy: asked for again with the same, EC2 gives the one that it began."""
        told = (self.image.image_id, self.region, region, self.encrypted, self.key, number)
        return hashlib.sha256(repr(told).encode()).hexdigest()


class _Copy:
    """One region's copy."""

    def __init__(self, place: Context, wanted: _Wanted) -> None:
        self._place = dataclasses.replace(place, sleep=self._sleep)
        self._longer, self._wanted = place.sleep, wanted
        self._region = place.aws.region
        self._step = f"copy to {self._region}"

    def run(self) -> Copied:
        """Copy, or go on with a copy; what stands in the way is told in `trouble`."""
        try:
            return self._copy()
        except FleetError as error:
            self._place.tell(None, self._step, "failed", str(error))
            return Copied(self._region, "", made=False, trouble=str(error))

    def _sleep(self, seconds: float) -> None:
        """Sleep between looks. Raises FleetError where the run was interrupted meanwhile: EC2 goes on copying."""
        self._longer(seconds)
        if self._place.interrupted.is_set():
            raise FleetError("interrupted", remedy=_AGAIN)

    def _copy(self) -> Copied:
        found = self._there()
        if found is None:
            image_id = self._begin()
        else:
            image_id = found.image_id
            self._place.tell(None, self._step, "note", f"{image_id} is there already")
        wait_until_available(self._place, image_id, step=self._step, again=_AGAIN)
        self._settle(image_id)
        return Copied(self._region, image_id, made=found is None)

    def _there(self) -> ImageFact | None:
        """Find the copy that is there. One that failed is removed; one that is not as it is asked for is refused."""
        lineage = read_lineage(self._place, self._wanted.tags[tags.RECIPE])
        same = [one for one in lineage.images if is_copy(one, self._wanted.image)]
        for one in same:
            if one.state == "failed":
                remove_image(self._place, one.image_id, one.snapshot_ids)
        found = next((one for one in same if one.state in {"available", "pending"}), None)
        if found and found.state == "available" and self._wanted.encrypted and not found.encrypted:
            raise FleetError(
                f"{found.image_id} is there already and is not encrypted",
                remedy=f"`fleet --region {self._region} amis rm {found.image_id}`, then copy again",
            )
        return found

    def _begin(self) -> str:
        """Have the copy begun, tagged in the call; gives its id. Sent again after a lost answer it makes no second."""
        for number in range(_TOKENS):
            image_id = send_again_if_lost(self._place, partial(self._send, number))
            if self._visible(image_id):
                return image_id
        raise FleetError(
            f"no copy of {self._wanted.image.image_id} comes up in {self._region}",
            remedy="try again in a few minutes",
        )

    def _send(self, number: int) -> str:
        wanted = self._wanted
        return copy_image(
            self._place.aws,
            source=wanted.image.image_id,
            source_region=wanted.region,
            name=wanted.image.name,
            description=wanted.image.description,
            tags=wanted.tags,
            encrypted=wanted.encrypted,
            kms_key=wanted.key,
            client_token=wanted.token(self._region, number),
        )

    def _visible(self, image_id: str) -> bool:
        """Whether a copy comes up. One that does not is of an earlier run and was removed since."""
        deadline = self._place.clock() + self._place.deadlines.visible
        while not describe_progress(self._place.aws, image_id=image_id).state:
            if self._place.clock() >= deadline:
                return False
            self._place.sleep(FIRST_WAIT)
        return True

    def _settle(self, image_id: str) -> None:
        """Keep the manifest with the copy; let the recipe's name mean it where it means the image that was copied."""
        wanted, aws = self._wanted, self._place.aws
        if wanted.manifest:
            marks = {key: wanted.tags[key] for key in (tags.MANAGED_BY, tags.RECIPE)}
            write_manifest(aws, image_id=image_id, parts=wanted.manifest, tags=marks)
        if wanted.tags[tags.STATUS] != tags.STABLE:
            return
        lineage = read_lineage(self._place, wanted.tags[tags.RECIPE])
        copy = next((one for one in lineage.images if one.image_id == image_id), None)
        marks = {key: wanted.tags[key] for key in (tags.STATUS, tags.PROMOTED_AT)}
        if copy is not None and any(copy.tags.get(key) != value for key, value in marks.items()):
            put_image_tags(self._place, copy, marks)
            lineage = read_lineage(self._place, lineage.recipe)
        if lineage.stable is not None and lineage.stable.image_id == image_id:
            supersede(self._place, lineage, image_id)


def _own_tags(image: ImageFact) -> dict[str, str]:
    return {k: v for k, v in image.tags.items() if k == "Name" or k.startswith("fleet:")}
