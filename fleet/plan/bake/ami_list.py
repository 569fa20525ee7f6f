"""Describes baked images for people and scripts: what they are, what they cost, who may launch them, who does. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from fleet.plan import tags
from fleet.plan.bake.manifest import Manifest, ManifestDiff
from fleet.plan.facts.images import ImageFact, SnapshotFact
from fleet.plan.images.dlami_names import parse_dlami_name
from fleet.plan.images.lineage import Users, lineage_of, recipe_of
from fleet.plan.money import as_number

_TITLES = {"pytorch": "PyTorch", "tensorflow": "TensorFlow", "mxnet": "MXNet"}


@dataclass(frozen=True)
class ListedAmi:
    """A baked image. `size_gib` is its snapshots', `monthly_usd` at most what they cost per month (None: not known).

    `status` is that of `plan.lineage`; `used_by` names instances and launch templates.
    """

    image: ImageFact
    status: str
    age: timedelta
    size_gib: int
    monthly_usd: Decimal | None
    shared_with: tuple[str, ...]
    used_by: tuple[str, ...]

    @property
    def recipe(self) -> str:
        """The recipe that it was baked from."""
        return recipe_of(self.image)

    @property
    def base(self) -> str:
        """What it was baked on, in few words where its name is a DLAMI's."""
        told = self.image.tags.get(tags.BASE_NAME, "")
        name = parse_dlami_name(told)
        if name is None:
            return told or self.image.tags.get(tags.BASE_IMAGE, "")
        title = _TITLES.get(name.framework or "", name.kind.capitalize())
        return " ".join(filter(None, (title, name.framework_version, name.os, name.release)))

    @property
    def baked_for(self) -> timedelta | None:
        """How long the bake took; None where it is not known."""
        told = self.image.tags.get(tags.BAKED_SECONDS, "")
        return timedelta(seconds=int(told)) if told.isdigit() else None

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape; age and time in seconds, price in USD per month."""
        image = self.image
        told = image.tags.get
        return {
            "recipe": self.recipe,
            "image_id": image.image_id,
            "name": image.name,
            "status": self.status,
            "state": image.state,
            "digest": told(tags.RECIPE_DIGEST),
            "base": {"image_id": told(tags.BASE_IMAGE), "name": told(tags.BASE_NAME)},
            "architecture": image.architecture,
            "framework": told(tags.FRAMEWORK),
            "login_user": told(tags.LOGIN_USER),
            "created_at": tags.expiry_text(image.created_at),
            "promoted_at": told(tags.PROMOTED_AT),
            "deprecated_at": tags.expiry_text(image.deprecated_at) if image.deprecated_at else None,
            "age_seconds": int(self.age.total_seconds()),
            "baked_seconds": int(self.baked_for.total_seconds()) if self.baked_for else None,
            "size_gib": self.size_gib,
            "monthly_usd": as_number(self.monthly_usd),
            "encrypted": image.encrypted,
            "snapshots": list(image.snapshot_ids),
            "shared_with": list(self.shared_with),
            "used_by": list(self.used_by),
        }


@dataclass(frozen=True)
class ListedAmis:
    """Images, the newest first; and snapshots of baked images that no image needs any more."""

    region: str
    images: tuple[ListedAmi, ...]
    loose: tuple[SnapshotFact, ...]

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "region": self.region,
            "images": [each.as_json() for each in self.images],
            "loose_snapshots": [one.snapshot_id for one in self.loose],
        }


@dataclass(frozen=True)
class ImageCopy:
    """A copy of an image in another region."""

    region: str
    image_id: str
    status: str

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {"region": self.region, "image_id": self.image_id, "status": self.status}


@dataclass(frozen=True)
class ShownAmi:
    """One image with all that is known of it. `manifest` and `copies` are None where nobody kept, or asked for, them.

    `unread` says which regions could not be looked at for copies.
    """

    listed: ListedAmi
    manifest: Manifest | None
    copies: tuple[ImageCopy, ...] | None = None
    unread: tuple[str, ...] = ()

    def as_json(self, *, packages: bool) -> dict[str, object]:
        """Give the settled JSON shape; with `packages` each package, else how many each place has."""
        return {
            **self.listed.as_json(),
            "manifest": self._manifest(packages=packages),
            "copies": None if self.copies is None else [each.as_json() for each in self.copies],
            "unread": list(self.unread),
        }

    def _manifest(self, *, packages: bool) -> dict[str, object] | None:
        if self.manifest is None:
            return None
        if packages:
            return self.manifest.as_json()
        return {
            "system": self.manifest.system,
            "used_mib": self.manifest.used_mib,
            "sections": [
                {"where": where, "packages": len(found), "kib": sum(p.kib for p in found.values())}
                for where, found in self.manifest.sections.items()
            ],
        }


@dataclass(frozen=True)
class AmiDiff:
    """What changed from one image to another."""

    before: ImageFact
    after: ImageFact
    packages: ManifestDiff

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "before": {"image_id": self.before.image_id, "name": self.before.name},
            "after": {"image_id": self.after.image_id, "name": self.after.name},
            **self.packages.as_json(),
        }


def describe_listed(
    images: Sequence[ImageFact],
    *,
    among: Iterable[ImageFact],
    snapshots: Iterable[SnapshotFact],
    users: Users,
    sharing: Mapping[str, tuple[str, ...]],
    snapshot_usd: Decimal | None,
    now: datetime,
) -> tuple[ListedAmi, ...]:
    """Describe images, the newest first. `among` are all images of their recipes, which decide which one is stable.

    `snapshot_usd` is the price of a GiB for a month.
    """
    known = tuple(among)
    sizes = {one.snapshot_id: one.size_gib for one in snapshots}

    def listed(image: ImageFact) -> ListedAmi:
        size = sum(sizes.get(each, 0) for each in image.snapshot_ids) or image.root_size_gib
        return ListedAmi(
            image=image,
            status=lineage_of(recipe_of(image), known).status(image),
            age=max(now - image.created_at, timedelta(0)),
            size_gib=size,
            monthly_usd=None if snapshot_usd is None else snapshot_usd * size,
            shared_with=sharing.get(image.image_id, ()),
            used_by=users.get(image.image_id, ()),
        )

    newest_first = sorted(images, key=lambda image: (image.created_at, image.name), reverse=True)
    return tuple(map(listed, newest_first))
